import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeEngine } from '../docker/fake-engine.ts';

/** On every machine, and mounted on none. */
const notMounted = '/etc/passwd';

let folder: string;
let engine: FakeEngine;
let child: ChildProcess;
let events: { readonly event: string; readonly [field: string]: unknown }[];
let errors: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dock2ban-permitted-'));
  for (const name of ['config', 'log', 'run']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'log/syslog'), '');
  writeFileSync(join(folder, 'log/app.log'), '');
  engine = await new FakeEngine().start();
  events = [];
  errors = '';
});

afterEach(async () => {
  child.kill('SIGKILL');
  await engine.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The controller, as in a container that has nothing mounted but what this machine has. */
function run(): void {
  const options = {
    'docker-host': `unix://${engine.socketPath}`,
    'config-dir': join(folder, 'config'),
    'state-dir': join(folder, 'state'),
    socket: join(folder, 'run/socket'),
    'syslog-file': join(folder, 'log/syslog'),
    'syslog-listen': `unix://${join(folder, 'receiver/syslog.sock')}`,
    firewall: 'none',
    'log-format': 'json',
  };
  mkdirSync(join(folder, 'receiver'), { recursive: true });
  const words = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  child = spawn(process.execPath, ['src/main.ts', 'run', ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, container: 'oci' },
  });
  createInterface(child.stdout!).on('line', (line) => events.push(JSON.parse(line)));
  child.stderr!.on('data', (text) => (errors += String(text)));
}

const sees = (event: string, fields: object) =>
  vi.waitFor(() => expect(events).toContainEqual(expect.objectContaining({ event, ...fields })), {
    timeout: 15_000,
    interval: 20,
  });

function fail(ip: string): void {
  appendFileSync(join(folder, 'log/app.log'), `${new Date().toISOString()} bad ${ip}\n`);
}

it('with what Node permits: reads logs by wildcard and over rotation, stores, runs programs, tells what it may not read', async () => {
  const jail = (name: string, logpath: string): string =>
    `[${name}]\nenabled = true\nfilter =\nfailregex = ^\\s*bad <HOST>$\nmaxretry = 1\nlogpath = ${logpath}\n`;
  const jails = [jail('app', join(folder, 'log/*.log')), 'ignorecommand = test <ip> = 203.0.113.9\n'];
  writeFileSync(join(folder, 'config/jail.local'), [...jails, jail('elsewhere', notMounted)].join(''));
  run();
  await sees('ready', {});
  await sees('source-lost', {
    error: `${notMounted} is not mounted into the container`,
    fix: expect.stringContaining('mount its folder'),
  });
  fail('203.0.113.9');
  await sees('ignored', { ip: '203.0.113.9' });
  fail('198.51.100.1');
  await sees('ban', { ip: '198.51.100.1' });
  renameSync(join(folder, 'log/app.log'), join(folder, 'log/app.log.1'));
  fail('198.51.100.2');
  await sees('ban', { ip: '198.51.100.2' });
  const command = readFileSync(`/proc/${child.pid}/cmdline`, 'utf8').split('\0');
  expect(command).toContain('--permission');
  expect(command.filter((flag) => flag.startsWith('--allow-fs-write='))).toEqual(
    ['receiver', 'run', 'state'].map((name) => `--allow-fs-write=${join(folder, name)}/*`),
  );
  expect(command).not.toContain('--allow-fs-read=*');
  // It would start the inspector, or end a process that doesn't know it.
  child.kill('SIGUSR1');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(errors).toBe('');
  expect(statSync(join(folder, 'state/dock2ban.sqlite3')).size).toBeGreaterThan(0);

  // A program of its own with these flags.
  const flags = command.filter((word) => /^--(?:permission|allow-|disable-)/.test(word));
  const probe = `
    const fs = require('node:fs');
    const attempt = (act) => { try { act(); return 'done'; } catch (error) { return error.code; } };
    console.log(JSON.stringify([
      attempt(() => fs.writeFileSync(process.argv[1] + '/state/probe', '')),
      attempt(() => fs.writeFileSync(process.argv[1] + '/probe', '')),
      attempt(() => fs.appendFileSync(process.argv[1] + '/config/jail.local', '')),
      attempt(() => fs.readFileSync('${notMounted}')),
      attempt(() => require('node:inspector').open(0)),
    ]));`;
  const answers = execFileSync(process.execPath, [...flags, '-e', probe, folder], { encoding: 'utf8' });
  const denied = 'ERR_ACCESS_DENIED';
  expect(JSON.parse(answers)).toEqual(['done', denied, denied, denied, denied]);
}, 60_000);
