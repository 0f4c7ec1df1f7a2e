import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { engineConnector } from '../../src/docker/engine/engine-connector.ts';
import { EngineView } from '../../src/docker/engine-view.ts';
import { FakeEngine, idOf, json, type FakeContainer } from './fake-engine.ts';

const bound = (HostPort: string, HostIp = ''): Pick<FakeContainer, 'bindings'> => ({
  bindings: { '80/tcp': [{ HostIp, HostPort }] },
});

const published = (HostPort: string, HostIp = '0.0.0.0'): Pick<FakeContainer, 'ports'> => ({
  ports: { '80/tcp': [{ HostIp, HostPort }] },
});

const guarded = (id: string, more: Partial<FakeContainer> = {}): FakeContainer => ({
  id: idOf(id),
  name: `guarded-${id}`,
  labels: { 'fail2ban.allowfrom': '192.0.2.0/24' },
  state: 'created',
  ...bound('8080'),
  ...more,
});

let engine: FakeEngine;
let view: EngineView;

async function list(...all: FakeContainer[]): Promise<[name: string, ports: string[], unknown: boolean][]> {
  engine.containers = all;
  const { signal } = new AbortController();
  const client = await engineConnector(`unix://${engine.socketPath}`)(signal);
  const { awaited = [] } = await view.look(client, signal);
  return awaited.map(({ name, publishedPorts, hasUnknownPorts }) => [
    name,
    publishedPorts.map(({ hostAddress, hostPort, protocol }) => `${hostAddress} ${hostPort}/${protocol}`),
    hasUnknownPorts,
  ]);
}

beforeEach(async () => {
  engine = await new FakeEngine().start();
  view = new EngineView();
});

afterEach(() => engine.stop());

describe('containers that may be started', () => {
  it.each(['created', 'exited', 'restarting'])('are known with their ports when %s', async (state) => {
    expect(await list(guarded('a1', { state }))).toEqual([
      ['guarded-a1', ['0.0.0.0 8080/tcp', ':: 8080/tcp'], false],
    ]);
  });

  it.each([
    ['it runs', { state: 'running' }],
    ['it is paused', { state: 'paused' }],
    ['it is being removed', { state: 'removing' }],
    ['it is dead', { state: 'dead' }],
    ['no label says who gets to it', { labels: { 'fail2ban.jail': 'web' } }],
    [
      'it is a task of a Swarm service',
      { labels: { 'fail2ban.allowfrom': '192.0.2.1', 'com.docker.swarm.service.id': 'x' } },
    ],
  ])('one is none if %s', async (_, more) => {
    expect(await list(guarded('a1', more))).toEqual([]);
  });

  it.each([
    ['chosen by Docker', { bindings: { '80/tcp': [{ HostIp: '', HostPort: '' }] } }],
    ['chosen by Docker, as port 0', { bindings: { '80/tcp': [{ HostIp: '', HostPort: '0' }] } }],
    ['one of a range', { bindings: { '80/tcp': [{ HostIp: '', HostPort: '8000-8010' }] } }],
    ['all that the image exposes', { bindings: {}, publishAll: true }],
  ])('have ports that can not be known before: %s', async (_, more) => {
    expect(await list(guarded('a1', more))).toEqual([['guarded-a1', [], true]]);
  });

  it('are inspected once', async () => {
    await list(guarded('a1'));
    await list(guarded('a1', { state: 'exited' }), guarded('b2', bound('9090')));
    await list(guarded('a1', { name: 'renamed' }));
    expect(engine.count(/a1.*\/json/)).toBe(1);
    expect(await list(guarded('a1', { name: 'renamed' }))).toMatchObject([
      ['renamed', expect.anything(), false],
    ]);
  });
});

it('one that can not be looked at is left out, and looked at again', async () => {
  const other = guarded('b2', bound('9090'));
  const names = async (): Promise<string[]> => (await list(guarded('a1'), other)).map(([name]) => name);
  engine.intercept = (path, response) => {
    if (!path.includes(idOf('a1'))) return false;
    json(response, 500, { message: 'marked for removal' });
    return true;
  };
  expect(await names()).toEqual(['guarded-b2']);
  engine.intercept = () => false;
  await vi.waitFor(async () => expect(await names()).toEqual(['guarded-a1', 'guarded-b2']), 5000);
});

describe('a port belongs to the container that published it last', () => {
  const running = (more: Partial<FakeContainer> = {}): FakeContainer => ({
    id: idOf('c3'),
    name: 'shop',
    ...published('8080'),
    ...more,
  });
  const stopped = (more: Partial<FakeContainer> = {}): FakeContainer => ({
    ...running(more),
    state: 'exited',
    ports: {},
  });
  const none = [['guarded-a1', [], false]];
  const both = [['guarded-a1', ['0.0.0.0 8080/tcp', ':: 8080/tcp'], false]];

  it('while that runs, with or without labels', async () => {
    expect(await list(running(), guarded('a1'))).toEqual(none);
    expect(await list(running({ state: 'paused' }), guarded('a1'))).toEqual(none);
    expect(await list(guarded('a1'), running({ labels: { 'fail2ban.jail': 'shop' } }))).toEqual(none);
  });

  it('and while it is stopped or restarted, until it is removed', async () => {
    await list(running());
    expect(await list(stopped(), guarded('a1'))).toEqual(none);
    expect(await list({ ...stopped(), state: 'restarting' }, guarded('a1'))).toEqual(none);
    expect(await list(running(), guarded('a1'))).toEqual(none);
    expect(await list(guarded('a1'))).toEqual(both);
  });

  it('or until another has published it', async () => {
    const self = guarded('a1', { state: 'running', ...published('8080') });
    await list(running());
    await list(stopped(), self);
    expect(await list(stopped(), { ...self, state: 'exited', ports: {} })).toEqual(both);
  });

  it('or to the newest of those that are awaited, if none was seen to run', async () => {
    const newer = guarded('b2', { created: '2026-11-23T00:00:00Z' });
    expect(await list(stopped(), guarded('a1'), newer, guarded('d4', bound('9090')))).toEqual([
      ['guarded-b2', both[0]![1], false],
      ...none,
      ['guarded-d4', ['0.0.0.0 9090/tcp', ':: 9090/tcp'], false],
    ]);
    const run = guarded('a1', { state: 'running', ...published('8080') });
    await list(run, newer);
    expect(await list({ ...run, state: 'exited', ports: {} }, newer)).toEqual([
      ['guarded-b2', [], false],
      ...both,
    ]);
  });

  it.each([
    ['another port', published('8081'), 2],
    ['another protocol', { ports: { '80/udp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] } }, 2],
    ['the same port of one address', published('8080', '192.0.2.1'), 0],
    ['the same port of all addresses of the other family', published('8080', '::'), 0],
  ])('as to %s', async (_, more, left) => {
    const [[, ports] = ['', []]] = await list(running(more), guarded('a1'));
    expect(ports).toHaveLength(left);
  });

  it('as to one address of the host, and not to another', async () => {
    const mine = guarded('a1', bound('8080', '192.0.2.2'));
    expect(await list(running(published('8080', '192.0.2.1')), mine)).toEqual([
      ['guarded-a1', ['192.0.2.2 8080/tcp'], false],
    ]);
    expect(await list(running(published('8080', '192.0.2.2')), mine)).toEqual(none);
  });
});
