import { afterEach, beforeEach, expect, it } from 'vitest';
import { engineConnector } from '../../src/docker/engine/engine-connector.ts';
import { EngineView } from '../../src/docker/engine-view.ts';
import { FakeEngine, idOf, json } from './fake-engine.ts';

const image = `sha256:${'c'.repeat(64)}`;
const { signal } = new AbortController();
let engine: FakeEngine;

beforeEach(async () => {
  engine = await new FakeEngine().start();
  engine.images[image] = { 'fail2ban.jail': 'sshd', 'fail2ban.port': '22', vendor: 'x' };
  const ofContainer = { 'fail2ban.jail': 'sshd', 'fail2ban.port': '2222', vendor: 'x' };
  engine.containers = [{ id: idOf('aa'), name: 'web', labels: ofContainer, imageId: image }];
});
afterEach(() => engine.stop());

/** What the engine's view says of a container's image. */
async function labels(): Promise<unknown> {
  const client = await engineConnector(`unix://${engine.socketPath}`)(signal);
  const { promise: answered, resolve: wake } = Promise.withResolvers<void>();
  const view = new EngineView({ wake, patience: 100 });
  const [first] = (await view.look(client, signal)).containers;
  if (first) return first.imageLabels;
  await answered;
  return (await view.look(client, signal)).containers[0]!.imageLabels;
}

it("an image's labels are those that its author gave it", async () => {
  expect(await labels()).toEqual({ 'fail2ban.jail': 'sshd' });
});

it.each([
  ['a proxy refuses', 403, { message: 'Forbidden' }],
  ['it is gone', 404, { message: 'No such image' }],
  ['the answer makes no sense', 200, { Config: { Labels: 7 } }],
])('they are unknown where %s', async (_, status, body) => {
  engine.intercept = (path, response) => {
    if (!path.startsWith('/images/')) return false;
    json(response, status, body);
    return true;
  };
  expect(await labels()).toBe('unknown');
});

it('they are unknown where no answer comes in time', async () => {
  engine.intercept = (path) => path.startsWith('/images/');
  expect(await labels()).toBe('unknown');
});
