import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, closeSync, mkdirSync, openSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ControlClient } from '../../src/control/client.ts';
import { FakeEngine } from '../docker/fake-engine.ts';
import { spawnRun } from './run-process.ts';

let folder: string;
let engine: FakeEngine;
let child: ChildProcess;
let events: { readonly event: string; readonly [field: string]: unknown }[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dock2ban-fault-'));
  mkdirSync(join(folder, 'fail2ban'));
  for (const name of ['syslog', 'app.log']) writeFileSync(join(folder, name), '');
  writeFileSync(
    join(folder, 'fail2ban/jail.local'),
    `[app]\nenabled = true\nfilter =\nfailregex = ^\\s*bad <HOST>$\nlogpath = ${join(folder, 'app.log')}\nmaxretry = 1\n`,
  );
  engine = await new FakeEngine().start();
  events = [];
});

afterEach(async () => {
  child.kill('SIGKILL');
  await engine.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A controller in which `onSignal` runs at SIGUSR2. */
function start(onSignal: string): void {
  const script = join(folder, 'fault.mjs');
  writeFileSync(script, `process.on('SIGUSR2', () => { ${onSignal} });`);
  child = spawnRun(folder, engine, ['--on-stop=flush'], { NODE_OPTIONS: `--import=${script}` });
  createInterface(child.stdout!).on('line', (line) => events.push(JSON.parse(line)));
}

const sees = (event: string) =>
  vi.waitFor(() => expect(events.map((one) => one.event)).toContain(event), {
    timeout: 30_000,
    interval: 20,
  });

it.each([
  ['a rejection that nobody handles', "Promise.reject(new Error('made up'))"],
  ['an exception that nobody catches', "throw new Error('made up')"],
])(
  '%s ends the controller in order, with an event and an exit code that has it started again',
  async (_, fault) => {
    start(fault);
    await sees('ready');
    const exit = once(child, 'exit');
    child.kill('SIGUSR2');
    expect((await exit)[0]).toBe(1);
    const told = events.filter(({ event }) => event === 'failed');
    expect(told).toEqual([
      expect.objectContaining({ level: 'fatal', msg: expect.stringContaining('made up') }),
    ]);
    // The bans stay, whatever --on-stop says.
    expect(events.at(-1)).toMatchObject({ event: 'stopped', msg: expect.stringContaining('bans stay') });
  },
);

/** The client is banned, whatever becomes of the log; and the controller ends when it is told to. */
async function expectGoesOn(): Promise<void> {
  const client = new ControlClient(join(folder, 'socket'));
  await expect.poll(() => client.status().catch(() => undefined), { timeout: 30_000 }).toBeDefined();
  for (const ip of ['198.51.100.66', '198.51.100.67']) {
    appendFileSync(join(folder, 'app.log'), `${new Date().toISOString()} bad ${ip}\n`);
    const bans = async () => (await client.banned())['app'];
    await expect.poll(bans, { timeout: 20_000 }).toContain(ip);
  }
  expect(child.exitCode).toBeNull();
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
}

it('goes on when whoever read its log is gone', async () => {
  start('');
  await sees('ready');
  child.stdout!.destroy();
  await expectGoesOn();
}, 60_000);

it('goes on when its log can be written nowhere', async () => {
  const full = openSync('/dev/full', 'w');
  child = spawnRun(folder, engine, [], {}, { stdout: full });
  closeSync(full);
  await expectGoesOn();
}, 60_000);
