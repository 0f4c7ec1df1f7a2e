import { appendFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { boundBacktracking } from '../../../src/filter/backtracking.ts';
import { type FakeContainer, idOf } from '../../docker/fake-engine.ts';
import { LiveDaemon } from '../jails/live-daemon.ts';

/** Milliseconds of processor time; without bounds both take from half a minute to for ever. */
const inTime = 3000;

let live: LiveDaemon;
let looking: NodeJS.Timeout;
/** The longest time in which nothing else had its turn, milliseconds of processor time. */
let longest = 0;

beforeEach(() => {
  // As `run` does at its start.
  boundBacktracking();
  live = new LiveDaemon();
  live.labels = { trustImageLabels: false, logRoots: [live.folder] };
  live.config('jail.local', live.section('calm', 'maxretry = 2'));
  for (const name of ['costly', 'calm']) writeFileSync(live.logPath(name), '');
  longest = 0;
  let last = process.threadCpuUsage();
  looking = setInterval(() => {
    const { user, system } = process.threadCpuUsage(last);
    longest = Math.max(longest, (user + system) / 1000);
    last = process.threadCpuUsage();
  }, 5);
});

afterEach(async () => {
  clearInterval(looking);
  await live.end();
});

/** Containers whose labels define as many jails as they may with so many expressions each, which all read one log. */
function hostile(jails: number, expressions: number): FakeContainer[] {
  const ports = { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] };
  const eachHas = Math.floor(500 / expressions);
  return Array.from({ length: jails / eachHas }, (_, container) => {
    const names = Array.from({ length: eachHas }, (_each, jail) => `evil-${container}-${jail}`);
    const regex = (i: number): string => String.raw`^(x?)\1a*a*a*a*a*a*b (?:${i})?<HOST>z`;
    const labels = {
      'fail2ban.jail': names.join(','),
      'fail2ban.source': 'file',
      'fail2ban.logpath': live.logPath('costly'),
      ...Object.fromEntries(
        names.map((name, jail) => [
          `fail2ban.jail.${name}.failregex`,
          Array.from({ length: expressions }, (_each, i) => regex((container * 100 + jail) * 1000 + i)).join(
            '\n',
          ),
        ]),
      ),
    };
    return { id: idOf(`e${container}`), name: `web${container}`, labels, ports };
  });
}

it('as many jails and expressions as labels may make hold up nobody: not while they start, and not by costly lines', async () => {
  await live.start();
  longest = 0;
  live.engine.containers = hostile(50, 100);
  await live.engine.emit('{}');
  live.fail('calm', '198.51.100.6', 2);
  await live.sees('ban', { jail: 'calm', ip: '198.51.100.6' });
  await vi.waitFor(() => expect(live.of('jail-started')).toHaveLength(51), {
    timeout: 150_000,
    interval: 100,
  });
  expect(longest).toBeLessThan(inTime);

  longest = 0;
  const lines = [300, 300, 150, 75, 38].map((length) => `${'a'.repeat(length)}c b 192.0.2.1 not z\n`);
  appendFileSync(live.logPath('costly'), lines.join('').repeat(20));
  live.fail('calm', '198.51.100.7', 2);
  await vi.waitFor(() => expect(live.of('filter-exceeded')).toHaveLength(50), { timeout: 30_000 });
  for (const { jail, containers, msg } of live.of('filter-exceeded')) {
    expect(containers).toEqual([String(jail).replace(/^evil-(\d+)-\d$/, 'web$1')]);
    expect(msg).toContain('make the expression simpler');
  }
  await live.sees('ban', { jail: 'calm', ip: '198.51.100.7' });
  expect(longest).toBeLessThan(inTime);
}, 240_000);
