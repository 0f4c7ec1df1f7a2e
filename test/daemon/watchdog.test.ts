import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Store } from '../../src/store/store.ts';
import { FakeEngine, idOf } from '../docker/fake-engine.ts';
import { spawnRun } from './run-process.ts';

type Event = { readonly event: string; readonly [field: string]: unknown };

/** Expressions that computes for minutes, where a text is searched or the expression made. */
const endless = `
const { exec } = RegExp.prototype;
const compute = () => { for (const end = Date.now() + 120_000; Date.now() < end; ); };
RegExp.prototype.exec = function (text) {
  if (String(text).includes('endless search')) compute();
  return exec.call(this, text);
};
globalThis.RegExp = class extends RegExp {
  constructor(source, flags) {
    if (String(source).includes('endless making')) compute();
    super(source, flags);
  }
};`;

let folder: string;
let engine: FakeEngine;
let child: ChildProcess;
let events: Event[];
let errors: Event[];

const log = (name: string): string => join(folder, `${name}.log`);
const state = (name: string): string => join(folder, 'state', name);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dock2ban-watchdog-'));
  mkdirSync(join(folder, 'fail2ban'));
  for (const name of ['syslog', 'app.log', 'evil.log']) writeFileSync(join(folder, name), '');
  writeFileSync(join(folder, 'hook.mjs'), endless);
  jailLocal(String.raw`^\s*bad <HOST>$`);
  engine = await new FakeEngine().start();
});

afterEach(async () => {
  child.kill('SIGKILL');
  await engine.stop();
  rmSync(folder, { recursive: true, force: true });
});

function jailLocal(failregex: string): void {
  writeFileSync(
    join(folder, 'fail2ban/jail.local'),
    `[app]\nenabled = true\nfilter =\nfailregex = ${failregex}\nlogpath = ${log('app')}\nmaxretry = 1\n`,
  );
}

/** The container whose labels define the jail `evil`. */
async function label(failregex: string, id = 'e1'): Promise<void> {
  const labels = {
    'fail2ban.jail': 'evil',
    'fail2ban.failregex': failregex,
    'fail2ban.source': 'file',
    'fail2ban.logpath': log('evil'),
    'fail2ban.maxretry': '1',
  };
  const ports = { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] };
  engine.containers = [{ id: idOf(id), name: 'web', labels, ports }];
  await engine.emit('{}');
}

function start(hook = join(folder, 'hook.mjs')): Promise<unknown[]> {
  events = [];
  errors = [];
  child = spawnRun(
    folder,
    engine,
    ['--log-roots', folder],
    { NODE_OPTIONS: `--import=${hook}` },
    { stderr: 'pipe' },
  );
  createInterface(child.stdout!).on('line', (line) => events.push(JSON.parse(line)));
  createInterface(child.stderr!).on('line', (line) => errors.push(JSON.parse(line)));
  return once(child, 'exit');
}

const sees = (event: string, fields: object = {}) =>
  vi.waitFor(() => expect(events).toContainEqual(expect.objectContaining({ event, ...fields })), {
    timeout: 30_000,
    interval: 20,
  });

const fail = (name: string, text: string): void =>
  appendFileSync(log(name), `${new Date().toISOString()} ${text}\n`);

async function expectQuarantine(): Promise<void> {
  void start();
  await sees('ready');
  await sees('quarantined', { level: 'warn', jail: 'evil', container: 'web', where: 'fail2ban.failregex' });
  await sees('config-error', { jail: 'evil', container: 'web' });
  fail('app', 'bad 198.51.100.1');
  await sees('ban', { jail: 'app', ip: '198.51.100.1' });
  expect(events.filter(({ event, jail }) => event === 'jail-started' && jail === 'evil')).toEqual([]);
}

it('a label whose expression stalls everything is quarantined until it changes', async () => {
  await label(String.raw`^\s*endless.search <HOST>$`);
  const exit = start();
  await sees('jail-started', { jail: 'evil' });
  await sees('ready');
  fail('evil', 'endless search 198.51.100.9');
  expect(await exit).toEqual([null, 'SIGKILL']);
  expect(errors).toEqual([
    expect.objectContaining({ level: 'fatal', event: 'stalled', jail: 'evil', container: 'web' }),
  ]);
  expect(statSync(state('stall.json')).mode & 0o777).toBe(0o600);

  await expectQuarantine();
  expect(existsSync(state('stall.json'))).toBe(false);
  expect(statSync(state('quarantine.json')).mode & 0o777).toBe(0o600);

  // Also at the start after that, of which nothing needs to be told again.
  const again = once(child, 'exit');
  child.kill('SIGTERM');
  await again;
  void start();
  await sees('ready');
  await sees('config-error', { jail: 'evil', container: 'web' });
  expect(events.map(({ event }) => event)).not.toContain('quarantined');

  writeFileSync(log('evil'), '');
  await label(String.raw`^\s*other <HOST>$`, 'e2');
  await sees('jail-started', { jail: 'evil' });
  const failing = setInterval(() => fail('evil', 'other 198.51.100.2'), 100);
  await sees('ban', { jail: 'evil', ip: '198.51.100.2' }).finally(() => clearInterval(failing));
});

it('so is one whose expression can’t be compiled in time', async () => {
  await label(String.raw`^\s*endless making <HOST>$`);
  expect(await start()).toEqual([null, 'SIGKILL']);
  await expectQuarantine();
});

it('an expression of the operator’s own is named, and used on', async () => {
  jailLocal(String.raw`^\s*(?:bad|endless.search) <HOST>$`);
  const exit = start();
  await sees('ready');
  fail('app', 'endless search 198.51.100.9');
  expect(await exit).toEqual([null, 'SIGKILL']);
  writeFileSync(log('app'), '');
  void start();
  await sees('stalled', { level: 'warn', jail: 'app', where: expect.stringContaining('jail.local') });
  await sees('ready');
  fail('app', 'bad 198.51.100.1');
  await sees('ban', { jail: 'app', ip: '198.51.100.1' });
});

it('a process that was stopped for longer, or waits in the kernel, isn’t ended', async () => {
  const waits = join(folder, 'waits.mjs');
  writeFileSync(
    waits,
    `process.on('SIGUSR2', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 13_000));`,
  );
  void start(waits);
  await sees('ready');
  child.kill('SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 12_000));
  child.kill('SIGCONT');
  fail('app', 'bad 198.51.100.1');
  await sees('ban', { ip: '198.51.100.1' });
  child.kill('SIGUSR2');
  await new Promise((resolve) => setTimeout(resolve, 500));
  fail('app', 'bad 198.51.100.2');
  await sees('ban', { ip: '198.51.100.2' });
  expect(existsSync(state('stall.json'))).toBe(false);
});

it('a start with 100,000 stored bans is no stall', async () => {
  const now = Date.now();
  const store = new Store({
    stateDir: state(''),
    purgeAge: 86_400,
    active: () => [],
    report: () => undefined,
    clock: () => now,
  });
  for (let i = 0; i < 100_000; i += 1) {
    const ip = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
    const times = { since: now - 1000, until: now + 3_600_000 };
    store.put({ jail: 'app', ip, ...times, count: 1, failures: 5, container: undefined, lines: [] });
  }
  store.close();
  void start();
  await sees('ready');
  fail('app', 'bad 198.51.100.1');
  await sees('ban', { ip: '198.51.100.1' });
  expect(child.exitCode).toBeNull();
  expect([existsSync(state('stall.json')), errors]).toEqual([false, []]);
});

it('notes that can’t be used are told and passed over', async () => {
  mkdirSync(state(''), { recursive: true });
  writeFileSync(state('stall.json'), '{"at": "never", "culprit": 7}');
  mkdirSync(state('quarantine.json'));
  void start();
  await sees('ready');
  const told = events.filter(({ event }) => event === 'quarantine-unusable');
  expect(told.map(({ problem }) => problem)).toEqual([
    expect.stringContaining('quarantine.json'),
    expect.stringContaining('stall.json'),
  ]);
});
