import { afterEach, beforeEach, expect, it } from 'vitest';
import { engineConnector } from '../../src/docker/engine/engine-connector.ts';
import { FakeEngine, json } from './fake-engine.ts';

const image = `sha256:${'c'.repeat(64)}`;
const { signal } = new AbortController();
let engine: FakeEngine;

beforeEach(async () => {
  engine = await new FakeEngine().start();
  engine.images[image] = { 'fail2ban.jail': 'sshd' };
});
afterEach(() => engine.stop());

async function labels(): Promise<Readonly<Record<string, string>> | undefined> {
  const client = await engineConnector(`unix://${engine.socketPath}`)(signal);
  return client.inspectImage(image, signal);
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
  expect(await labels()).toBeUndefined();
});

it('they are unknown where no answer comes in time', async () => {
  engine.intercept = (path) => path.startsWith('/images/');
  expect(await labels()).toBeUndefined();
});
