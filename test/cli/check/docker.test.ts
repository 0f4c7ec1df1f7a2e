import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { execa } from 'execa';
import { FakeEngine, idOf } from '../../docker/fake-engine.ts';

let directory: string;
let engine: FakeEngine;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'dock2ban-check-'));
  engine = await new FakeEngine().start();
});

afterEach(async () => {
  await engine.stop();
  rmSync(directory, { recursive: true });
});

it('dock2ban check asks a Docker engine for the labels of what runs', { timeout: 30_000 }, async () => {
  writeFileSync(join(directory, 'jail.local'), '[shop]\nfailregex = shop <HOST>\nfindtime = soon\n');
  engine.containers = [
    { id: idOf('a'), name: 'good', labels: { 'fail2ban.jail': 'nginx-proxy' } },
    { id: idOf('b'), name: 'bad', labels: { 'fail2ban.jail': 'nginx-proxy', 'fail2ban.maxrety': '3' } },
    { id: idOf('c'), name: 'other' },
    {
      id: idOf('d'),
      name: 'apart',
      labels: { 'fail2ban.jail': 'nginx-proxy' },
      endpoints: { lan: { IPAddress: '192.0.2.200' } },
    },
  ];
  engine.networks = [{ Name: 'lan', Driver: 'macvlan', Options: { parent: 'eth0' } }];
  const { exitCode, stdout, stderr } = await execa(
    'node',
    [
      'src/main.ts',
      'check',
      '--json',
      '--config-dir',
      directory,
      '--docker-host',
      `unix://${engine.socketPath}`,
    ],
    { reject: false },
  );
  expect(stderr).toBe('');
  expect(exitCode).toBe(1);
  const report = JSON.parse(stdout) as { containers: number; findings: unknown[] };
  expect(report.containers).toBe(3);
  expect(report.findings).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        severity: 'error',
        where: 'container bad, label fail2ban.maxrety=3',
        fix: 'did you mean maxretry?',
      }),
      expect.objectContaining({ severity: 'error', where: `${directory}/jail.local:3` }),
    ]),
  );
  // It publishes nothing, but stands in the local network by itself.
  expect(report.findings).not.toContainEqual(
    expect.objectContaining({ severity: 'error', where: 'container apart, label fail2ban.jail=nginx-proxy' }),
  );
  const asked = new Set(engine.requests.map((url) => url.replace(/^\/v[\d.]+/, '').replace(/\?.*$/, '')));
  expect(asked).toEqual(
    new Set([
      '/version',
      '/info',
      `/images/sha256:${'ab'.repeat(32)}/json`,
      '/containers/json',
      '/networks',
      `/containers/${idOf('a')}/json`,
      `/containers/${idOf('b')}/json`,
      `/containers/${idOf('d')}/json`,
    ]),
  );
});
