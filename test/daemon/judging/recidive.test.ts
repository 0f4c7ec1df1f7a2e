import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { loadConfigTree } from '../../../src/config/conf/load-config-tree.ts';
import { resolveJails } from '../../../src/config/resolve.ts';
import type { Controller } from '../../../src/control/controller.ts';
import { Daemon } from '../../../src/daemon/daemon.ts';
import { Recidive } from '../../../src/daemon/judging/recidive.ts';
import { JailRegistry } from '../../../src/jail/jail-registry.ts';
import { engineConnector } from '../../../src/docker/engine/engine-connector.ts';
import type { Failure } from '../../../src/filter/failure.ts';
import { compileFilter } from '../../../src/filter/filter.ts';
import { DryRunFirewall } from '../../../src/firewall/dry-run.ts';
import type { BanChange } from '../../../src/daemon/enforcing/bans.ts';
import { localTime } from '../../../src/text/local-time.ts';
import { Store } from '../../../src/store/store.ts';
import { FakeEngine } from '../../docker/fake-engine.ts';
import { jailSpec } from '../../jail/jail-spec.ts';
import { newJail } from '../../jail/new-jail.ts';
import type { JailSpec } from '../../../src/config/jail-spec.ts';

const builtinDir = fileURLToPath(new URL('../../../filters', import.meta.url));
const ip = '198.51.100.66';

let folder: string;
let engine: FakeEngine;
let events: { event: string; jail?: string; ip?: string; failures?: number; msg: string }[];
let end: () => Promise<void>;
let control: Controller;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dock2ban-recidive-'));
  mkdirSync(join(folder, 'fail2ban'));
  for (const name of ['syslog', 'app.log']) writeFileSync(join(folder, name), '');
  engine = await new FakeEngine().start();
  events = [];
});

afterEach(async () => {
  await end();
  await engine.stop();
  rmSync(folder, { recursive: true });
});

async function start(jails: string): Promise<void> {
  const app = `[app]\nenabled = true\nfilter =\nfailregex = ^\\s*bad <HOST>$\nlogpath = ${folder}/app.log\nmaxretry = 1\nport = 8000\n`;
  writeFileSync(join(folder, 'fail2ban/jail.local'), app + jails);
  const tree = await loadConfigTree({ builtinDir, configDir: join(folder, 'fail2ban') });
  const daemon = new Daemon({
    version: '0.0.0',
    logger: pino({ level: 'info' }, { write: (line: string) => void events.push(JSON.parse(line)) }),
    connectDocker: engineConnector(`unix://${engine.socketPath}`),
    createFirewall: (neverBan) => new DryRunFirewall({ neverBan, report: () => undefined }),
    resolve: ({ containers }) => resolveJails({ tree, containers, compileFilter: () => undefined }),
    openStore: (hooks) => new Store({ stateDir: join(folder, 'state'), purgeAge: 86_400, ...hooks }),
    syslogFile: join(folder, 'syslog'),
  });
  control = daemon.control();
  const stop = new AbortController();
  const done = daemon.run(stop.signal).then(() => daemon.stop(false));
  end = async () => {
    stop.abort();
    await done;
  };
  await sees('ready');
}

async function sees(event: string, fields: Readonly<Record<string, unknown>> = {}): Promise<void> {
  await vi.waitFor(() => expect(events).toContainEqual(expect.objectContaining({ event, ...fields })), {
    timeout: 10_000,
    interval: 10,
  });
}

function fail(address: string): void {
  appendFileSync(join(folder, 'app.log'), `${new Date().toISOString()} bad ${address}\n`);
}

/** fail2ban.log's line for a ban. */
function logged(jail: string, address: string): string {
  return `${localTime(new Date())},123 fail2ban.actions        [81]: NOTICE  [${jail}] Ban ${address}\n`;
}

const recidive = () => events.filter(({ jail, event }) => jail === 'recidive' && event === 'found');

it('bans everywhere, for a week, who was banned again and again, with no log of anything', async () => {
  await start('[recidive]\nenabled = true\nmaxretry = 3\n');
  expect(control.jail('recidive')).toMatchObject({ ports: 'all', sources: ['bans of other jails'] });
  for (const failures of [1, 2, 3]) {
    if (failures === 2) await control.ban('app', [ip]);
    else fail(ip);
    await sees('found', { jail: 'recidive', ip, failures });
    await control.unban('app', [ip]);
  }
  await sees('ban', { jail: 'recidive', ip, failures: 3, bantime: 604_800 });
  expect(recidive()).toHaveLength(3);
  // A jail's own bans, and one that only lasts longer, are no failures.
  await control.ban('recidive', ['203.0.113.9']);
  await control.ban('app', ['203.0.113.10']);
  await control.ban('app', ['203.0.113.10']);
  await sees('found', { jail: 'recidive', ip: '203.0.113.10', failures: 1 });
  expect(recidive().map((event) => event.ip)).toEqual([ip, ip, ip, '203.0.113.10']);
});

it('counts an IPv6 party by the prefix that it is banned by, and after a restart no ban again', async () => {
  const prefix = '2001:db8:1:2::/64';
  await start('[recidive]\nenabled = true\nmaxretry = 2\n');
  fail('2001:db8:1:2::7');
  await sees('found', { jail: 'recidive', ip: prefix, failures: 1 });
  await end();
  events = [];
  await start('[recidive]\nenabled = true\nmaxretry = 2\n');
  await sees('restore', { jail: 'app', ip: prefix });
  await control.unban('app', [prefix]);
  fail('2001:db8:1:2::9');
  await sees('ban', { jail: 'recidive', ip: prefix, failures: 2 });
});

it('reads a log of fail2ban besides, in which its own bans do not count twice', async () => {
  const log = join(folder, 'fail2ban.log');
  writeFileSync(log, '');
  await start(`[recidive]\nenabled = true\nlogpath = ${log}\n`);
  for (let i = 0; i < 2; i++) {
    fail(ip);
    await sees('found', { jail: 'recidive', failures: i * 2 + 1 });
    await vi.waitFor(() => expect(control.banned()['app']).toEqual([ip]));
    appendFileSync(log, logged('app', ip) + logged('postfix', ip) + logged('recidive', ip));
    await sees('found', { jail: 'recidive', failures: i * 2 + 2 });
    await control.unban('app', [ip]);
  }
  expect(recidive().map(({ failures }) => failures)).toEqual([1, 2, 3, 4]);
});

it('takes each ban that it was fed with once, and others as they are', async () => {
  let now = Date.UTC(2026, 10, 22, 13, 44, 53);
  const bans = { kind: 'bans', container: undefined } as const;
  const file = { kind: 'file', pattern: '/x', from: 'head', container: undefined } as const;
  const registry = new JailRegistry();
  const maker = { compile: (spec: JailSpec) => compileFilter(spec.filter), newJail };
  await registry.apply(
    [jailSpec({ name: 'recidive', sources: [file, bans] }), jailSpec({ name: 'app' })],
    maker,
  );
  const counted: Failure[] = [];
  const feed = new Recidive(registry, () => now);
  const banned = (name: string, more: Partial<BanChange> = {}): void => {
    const ban = { jail: name, ip, since: now, until: now + 1 };
    const change: BanChange = { kind: 'in-force', ban, origin: 'log', renewed: false, details: {} };
    for (const { failure } of feed.feed({ ...change, ...more } as BanChange)) counted.push(failure);
  };
  const jail = registry.all.get('recidive')!;
  const told = (name: string, time = now): number =>
    feed.unfed(jail, [{ id: ip, time, attempts: 1, lines: [`x [${name}] Ban ${ip}`], fields: {} }]).length;
  for (const name of ['app', 'app', 'recidive']) banned(name);
  // None of these is a new ban.
  for (const origin of ['restored', 'imported'] as const) banned('app', { origin });
  banned('app', { renewed: true });
  banned('app', { kind: 'lifted', reason: 'expired' });
  expect(counted.map(({ id, lines }) => [id, ...lines])).toEqual([
    [ip, `[app] Ban ${ip}`],
    [ip, `[app] Ban ${ip}`],
  ]);
  // A log with whole seconds; one of a ban before; one of another jail.
  expect([told('app', now - 999), told('app', now - 60_000), told('sshd')]).toEqual([0, 1, 1]);
  expect([told('app'), told('app')]).toEqual([0, 1]);
  banned('app');
  now += 601_000;
  expect(told('app')).toBe(1);
  // Other jails' lines are nothing to it.
  expect(feed.unfed(registry.all.get('app')!, counted)).toBe(counted);
});
