import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
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

it('goes on when whoever read its log is gone', async () => {
  start('');
  await sees('ready');
  child.stdout!.destroy();
  appendFileSync(join(folder, 'app.log'), `${new Date().toISOString()} bad 192.0.2.1\n`.repeat(50));
  await new Promise((resolve) => setTimeout(resolve, 3000));
  expect(child.exitCode).toBeNull();
  expect(existsSync(join(folder, 'socket'))).toBe(true);
});
