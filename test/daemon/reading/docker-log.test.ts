import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadConfigTree } from '../../../src/config/conf/load-config-tree.ts';
import { resolveJails } from '../../../src/config/resolve.ts';
import { Daemon } from '../../../src/daemon/daemon.ts';
import { engineConnector } from '../../../src/docker/engine/engine-connector.ts';
import { DryRunFirewall } from '../../../src/firewall/dry-run.ts';
import { Store } from '../../../src/store/store.ts';
import { FakeEngine, idOf, type FakeContainer } from '../../docker/fake-engine.ts';
import { FakeLogs } from '../../docker/fake-logs.ts';
import { messagesOf } from '../../sources/docker/fake-container-log.ts';

const builtinDir = fileURLToPath(new URL('../../../filters', import.meta.url));

interface Event {
  readonly event: string;
  readonly [field: string]: unknown;
}

let folder: string;
let engine: FakeEngine;
let logs: FakeLogs;
let end: AbortController;
let done: Promise<void>;
let events: Event[];

function container(labels: Record<string, string>, changes: Partial<FakeContainer> = {}): FakeContainer {
  return { id: idOf('a1'), name: 'app', labels: { 'fail2ban.jail': 'app', ...labels }, ...changes };
}

async function start(containers: FakeContainer[]): Promise<void> {
  engine.containers = containers;
  const tree = await loadConfigTree({ builtinDir, configDir: join(folder, 'fail2ban') });
  const daemon = new Daemon({
    version: '0.0.0',
    logger: pino({ level: 'info' }, { write: (line: string) => void events.push(JSON.parse(line)) }),
    connectDocker: engineConnector(`unix://${engine.socketPath}`),
    createFirewall: (neverBan) => new DryRunFirewall({ neverBan, report: () => undefined }),
    resolve: ({ containers: list }) =>
      resolveJails({ tree, containers: list, compileFilter: () => undefined }),
    openStore: (hooks) => new Store({ stateDir: join(folder, 'state'), purgeAge: 86_400, ...hooks }),
    syslogFile: join(folder, 'syslog'),
  });
  end = new AbortController();
  done = (async () => {
    await daemon.run(end.signal);
    await daemon.stop(false);
  })();
}

/** @param ago seconds */
function log(text: string, ago = 0, id = idOf('a1')): void {
  logs.log(id, ...messagesOf(2, BigInt(Date.now() - ago * 1000) * 1_000_000n, text));
}

async function sees(event: string, fields: Readonly<Record<string, unknown>> = {}): Promise<void> {
  await vi.waitFor(() => expect(events).toContainEqual(expect.objectContaining({ event, ...fields })), {
    timeout: 5000,
    interval: 10,
  });
}

const of = (name: string): Event[] => events.filter(({ event }) => event === name);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dock2ban-docker-log-'));
  writeFileSync(join(folder, 'syslog'), '');
  engine = await new FakeEngine().start();
  logs = new FakeLogs(engine);
  events = [];
});

afterEach(async () => {
  end.abort();
  await done;
  await engine.stop();
  rmSync(folder, { recursive: true });
});

describe("a container read from Docker's log API", () => {
  it.each([
    ['without a date of its own', 'failed login from 198.51.100.66'],
    ['with a date of its own', '2026/11/22 13:44:53 [error] failed login from 198.51.100.66'],
    [
      'with a date that is no time of its lines',
      'failed login from 198.51.100.66 since Jan 01 2001 00:00:00',
    ],
  ])('has its lines counted at the time at which it logged them: an app %s', async (_, line) => {
    await start([container({ 'fail2ban.failregex': 'failed login from <HOST>', 'fail2ban.maxretry': '2' })]);
    await sees('ready');
    const before = Math.floor(Date.now() / 1000) * 1000;
    log(line);
    log(line);
    await sees('ban', { ip: '198.51.100.66', container: 'app', failures: 2, bantime: 600 });
    for (const { msg } of of('found')) {
      const at = Date.parse(String(msg).replace(/.* - /, ''));
      expect(at).toBeGreaterThanOrEqual(before);
      expect(at).toBeLessThanOrEqual(Date.now());
    }
    expect(of('jail-started')[0]).toMatchObject({ sources: ['docker:app'] });
  });

  it('counts what it logged before the start, as far as findtime reaches back', async () => {
    for (const ago of [900, 700, 500, 300]) log('failed login from 198.51.100.66', ago);
    await start([container({ 'fail2ban.failregex': 'failed login from <HOST>', 'fail2ban.maxretry': '3' })]);
    await sees('found', { failures: 2 });
    log('failed login from 198.51.100.66');
    await sees('ban', { failures: 3 });
    expect(of('found')).toHaveLength(3);
  });

  it('counts no line twice and none too few over a stop, a start and a new container', async () => {
    const labels = { 'fail2ban.failregex': 'failed login from <HOST>', 'fail2ban.maxretry': '6' };
    await start([container(labels)]);
    await sees('ready');
    log('failed login from 198.51.100.66');
    await sees('found', { failures: 1 });
    // Its last line comes with the end.
    log('failed login from 198.51.100.66');
    logs.end(idOf('a1'));
    engine.containers = [];
    await engine.emit('{}');
    await sees('found', { failures: 2 });
    await sees('jail-stopped');
    log('failed login from 198.51.100.66');
    engine.containers = [container(labels)];
    await engine.emit('{}');
    await sees('found', { failures: 3 });
    log('failed login from 198.51.100.66');
    await sees('found', { failures: 4 });
    engine.containers = [container(labels, { id: idOf('b2') })];
    log('failed login from 198.51.100.66', 0, idOf('b2'));
    await engine.emit('{}');
    await sees('found', { failures: 5 });
    log('failed login from 198.51.100.66', 0, idOf('b2'));
    await sees('ban', { failures: 6 });
    expect(of('found')).toHaveLength(6);
    expect(of('source-lost')).toEqual([]);
  });

  it('feeds every jail that the container is in, and no other', async () => {
    const labels = {
      'fail2ban.jail': 'one,two',
      'fail2ban.failregex': 'failed login from <HOST>',
      'fail2ban.maxretry': '1',
    };
    await start([
      container(labels),
      container({}, { id: idOf('b2'), name: 'other', labels: { 'fail2ban.jail': 'sshd' } }),
    ]);
    await sees('ready');
    log('failed login from 198.51.100.66');
    log('failed login from 198.51.100.77', 0, idOf('b2'));
    await sees('ban', { jail: 'one', ip: '198.51.100.66' });
    await sees('ban', { jail: 'two', ip: '198.51.100.66' });
    expect(of('found').every(({ ip, container: name }) => ip === '198.51.100.66' && name === 'app')).toBe(
      true,
    );
  });

  it('says once what to do where the engine keeps no log, and goes on with others', async () => {
    logs.refusal = { status: 501, message: 'configured logging driver does not support reading' };
    await start([container({ 'fail2ban.failregex': 'failed login from <HOST>' }, { logDriver: 'gelf' })]);
    await sees('source-lost', { source: 'docker:app', fix: expect.stringContaining('cache-disabled') });
    logs.refusal = undefined;
    engine.containers = [
      ...engine.containers,
      container({}, { id: idOf('b2'), name: 'second', labels: { 'fail2ban.jail': 'sshd' } }),
    ];
    await engine.emit('{}');
    await sees('source-resumed', { source: 'docker:app' });
    expect(of('source-lost')).toHaveLength(1);
  });

  it('says of a line without end that it is cut, and looks at what it begins with', async () => {
    await start([container({ 'fail2ban.failregex': '^failed login from <HOST>', 'fail2ban.maxretry': '1' })]);
    await sees('ready');
    log(`failed login from 198.51.100.66 ${'x'.repeat(300_000)}`);
    await sees('ban', { ip: '198.51.100.66' });
    await sees('lines-cut', { source: 'docker:app', total: 1 });
  });
});
