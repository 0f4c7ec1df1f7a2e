import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ControlClient } from '../../src/control/client.ts';
import { FakeEngine } from '../docker/fake-engine.ts';
import { spawnRun } from './run-process.ts';

let folder: string;
let engine: FakeEngine;
let child: ChildProcess;
let events: Record<string, unknown>[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dock2ban-ignoreip-'));
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

function run(ignoreip: string): void {
  child = spawnRun(folder, engine, [], { DOCK2BAN_IGNOREIP: ignoreip });
  createInterface(child.stdout!).on('line', (line) => events.push(JSON.parse(line)));
}

it('no jail bans whom the operator’s option names, by log or by hand', async () => {
  run('203.0.113.7, 2001:db8::/32');
  const client = new ControlClient(join(folder, 'socket'));
  await expect.poll(() => events.map(({ event }) => event), { timeout: 30_000 }).toContain('ready');
  for (const ip of ['203.0.113.7', '2001:db8:1::66', '203.0.113.8'])
    appendFileSync(join(folder, 'app.log'), `${new Date().toISOString()} bad ${ip}\n`);
  await expect.poll(() => client.banned(), { timeout: 20_000 }).toEqual({ app: ['203.0.113.8'] });
  const answer = await client.ban('app', ['203.0.113.7', '203.0.113.0/28']);
  expect(JSON.stringify(answer)).toContain('it is in --ignoreip');
  expect(JSON.stringify(answer)).toContain('it overlaps 203.0.113.7, which is in --ignoreip');
  expect(await client.banned()).toEqual({ app: ['203.0.113.8'] });
  expect(events.filter(({ event }) => event === 'ignored')).toEqual(
    ['203.0.113.7', '2001:db8:1::66'].map((ip) =>
      expect.objectContaining({ ip, reason: 'it is in --ignoreip' }),
    ),
  );
});

it('an entry that is no address ends the start, with the fix', async () => {
  run('203.0.113.7,home.example.org');
  const exit = once(child, 'exit');
  expect((await exit)[0]).toBe(1);
  expect(events.at(-1)).toMatchObject({
    event: 'failed',
    msg: expect.stringContaining('"home.example.org" in --ignoreip is no address or network'),
  });
});
