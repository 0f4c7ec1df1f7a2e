import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeEngine } from '../../docker/fake-engine.ts';
import { spawnRun } from '../run-process.ts';

let folder: string;
let engine: FakeEngine;
let child: ChildProcess;
let events: { readonly event: string; readonly [field: string]: unknown }[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dock2ban-run-'));
  writeFileSync(join(folder, 'syslog'), '');
  engine = await new FakeEngine().start();
  events = [];
});

afterEach(async () => {
  child.kill('SIGKILL');
  await engine.stop();
  rmSync(folder, { recursive: true, force: true });
});

function run(...flags: string[]): void {
  child = spawnRun(folder, engine, flags);
  createInterface(child.stdout!).on('line', (line) => events.push(JSON.parse(line)));
}

const seen = (event: string) => events.filter((one) => one.event === event);
const sees = (event: string, count = 1) =>
  vi.waitFor(() => expect(seen(event).length).toBeGreaterThanOrEqual(count), {
    timeout: 15_000,
    interval: 20,
  });

function jailLocal(options: string): void {
  mkdirSync(join(folder, 'fail2ban'), { recursive: true });
  const log = join(folder, 'app.log');
  const text = `[app]\nenabled = true\nfilter =\nfailregex = ^bad <HOST>$\nlogpath = ${log}\n${options}\n`;
  writeFileSync(join(folder, 'fail2ban/jail.local'), text);
}

describe('dock2ban run', () => {
  it('reads the configuration again at SIGHUP, and only then', async () => {
    run();
    await sees('ready');
    jailLocal('maxretry = 3');
    child.kill('SIGHUP');
    await sees('reloaded');
    expect(seen('reloaded')[0]).toMatchObject({ started: ['app'] });
    jailLocal('maxretry = many');
    child.kill('SIGHUP');
    await sees('reload-refused');
    expect(seen('config-error')).toHaveLength(1);
    expect(seen('config-error')[0]!['where']).toBe(join(folder, 'fail2ban/jail.local:6'));
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(seen('reloaded')).toHaveLength(1);
  }, 60_000);

  it('takes changes at once with --watch-config, of a folder that comes later too', async () => {
    run('--watch-config');
    await sees('ready');
    jailLocal('maxretry = 3');
    await sees('jail-started');
    jailLocal('maxretry = many');
    await sees('reload-refused');
    jailLocal('maxretry = 4');
    await sees('jail-changed');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  }, 60_000);
});
