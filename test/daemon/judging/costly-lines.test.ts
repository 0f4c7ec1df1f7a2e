import { appendFileSync, chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { boundBacktracking } from '../../../src/filter/backtracking.ts';
import { idOf } from '../../docker/fake-engine.ts';
import { LiveDaemon } from '../jails/live-daemon.ts';

let live: LiveDaemon;

beforeEach(() => {
  // As `run` does at its start.
  boundBacktracking();
  live = new LiveDaemon();
});

afterEach(() => live.end());

/** Whether the controller answers, and in what time, milliseconds. */
function answers(): number {
  const start = performance.now();
  live.control.status();
  return performance.now() - start;
}

/** On a busy machine; without bounds these take from ten seconds to for ever. */
const inTime = 3000;

describe('lines that are costly for a jail', () => {
  it.each<[string, readonly string[], string]>([
    ['one expression that backtracks', [String.raw`^\s*(x?)\1a*a*a*a*a*a*b <HOST>z`], 'a'.repeat(300)],
    [
      'a thousand expressions',
      Array.from({ length: 1000 }, (_, i) => `^\\s*(x?)\\1a*a*a*a*b (?:${i})?<HOST>z`),
      'a'.repeat(300),
    ],
  ])('%s: one event names the culprit, and other jails ban', async (_, failregex, text) => {
    live.config(
      'jail.local',
      `[costly]\nenabled = true\nfilter =\nfailregex = ${failregex.join('\n ')}\nlogpath = ${live.logPath('costly')}\nport = 1\n${live.section('calm', 'maxretry = 2')}`,
    );
    for (const name of ['costly', 'calm']) writeFileSync(live.logPath(name), '');
    await live.start();
    appendFileSync(
      live.logPath('costly'),
      `${new Date().toISOString()} ${text}c b 192.0.2.1 not z\n`.repeat(40),
    );
    live.fail('calm', '198.51.100.7', 2);
    await live.sees('filter-exceeded');
    expect(answers()).toBeLessThan(inTime);
    await live.sees('ban', { jail: 'calm', ip: '198.51.100.7' });
    const events = live.of('filter-exceeded');
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      jail: 'costly',
      expression: expect.stringMatching(/^failregex\[\d+\]$/),
    });
    expect(events[0]!.msg).toContain('a*a*a*');
    expect(events[0]!.msg).toContain('make the expression simpler');
  });

  it('by a label: the event names the container, the controller answers within a second, other jails ban', async () => {
    live.labels = { trustImageLabels: false, logRoots: [live.folder] };
    live.config('jail.local', live.section('calm', 'maxretry = 2'));
    for (const name of ['costly', 'calm']) writeFileSync(live.logPath(name), '');
    const labels = {
      'fail2ban.jail': 'evil',
      'fail2ban.failregex': String.raw`^(x?)\1a*a*a*a*a*a*b <HOST>z`,
      'fail2ban.source': 'file',
      'fail2ban.logpath': live.logPath('costly'),
    };
    const ports = { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] };
    await live.start([{ id: idOf('e1'), name: 'web', labels, ports }]);
    await live.sees('jail-started', { jail: 'evil' });
    appendFileSync(live.logPath('costly'), `${'a'.repeat(300)}c b 192.0.2.1 not z\n`.repeat(40));
    live.fail('calm', '198.51.100.7', 2);
    await live.sees('filter-exceeded', { jail: 'evil', containers: ['web'] });
    expect(answers()).toBeLessThan(1000);
    await live.sees('ban', { jail: 'calm', ip: '198.51.100.7' });
    expect(live.of('filter-exceeded')).toHaveLength(1);
  });

  it('for their many expressions, none of which is costly by itself, cost little and are said once', async () => {
    const failregex = Array.from({ length: 400 }, (_, i) => `^\\s*(x?)\\1a*a*a*b (?:${i})?<HOST>z`);
    live.config(
      'jail.local',
      `[costly]\nenabled = true\nfilter =\nfailregex = ${failregex.join('\n ')}\nlogpath = ${live.logPath('costly')}\nport = 1\n`,
    );
    writeFileSync(live.logPath('costly'), '');
    await live.start();
    const before = process.threadCpuUsage();
    appendFileSync(
      live.logPath('costly'),
      `${new Date().toISOString()} ${'a'.repeat(110)}c b 192.0.2.1 not z\n`.repeat(10),
    );
    await live.sees('filter-exceeded');
    live.fail('costly', '198.51.100.9');
    const { user, system } = process.threadCpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(1000);
    expect(live.of('filter-exceeded')).toHaveLength(1);
  });

  it('don’t hide ordinary ones: an attacker who sends both is banned', async () => {
    const failregex = Array.from({ length: 300 }, (_, i) => `^\\s*(x?)\\1a*a*a*a*b (?:${i})?<HOST>z`);
    live.config(
      'jail.local',
      `[costly]\nenabled = true\nfilter =\nfailregex = ${[...failregex, '^\\s*bad <HOST>$'].join('\n ')}\nlogpath = ${live.logPath('costly')}\nport = 1\nmaxretry = 5\n`,
    );
    writeFileSync(live.logPath('costly'), '');
    await live.start();
    for (let i = 0; i < 5; i += 1) {
      appendFileSync(
        live.logPath('costly'),
        `${new Date().toISOString()} ${'a'.repeat(2000)}c b 192.0.2.1 not z\n`.repeat(5),
      );
      live.fail('costly', '198.51.100.7');
    }
    await live.sees('ban', { jail: 'costly', ip: '198.51.100.7' });
    expect(live.of('ban')).toHaveLength(1);
  });
});

it('a NUL of the log and 300 failures at once don’t end a jail with an ignorecommand', async () => {
  live.config(
    'jail.local',
    `[app]\nenabled = true\nfilter =\nfailregex = ^\\s*bad <F-USER>\\S*</F-USER> <HOST>$\nlogpath = ${live.logPath('app')}\nport = 1\nmaxretry = 1\nignorecommand = /usr/bin/test <F-USER> = friend\n`,
  );
  writeFileSync(live.logPath('app'), '');
  await live.start();
  const line = (user: string, ip: string): string => `${new Date().toISOString()} bad ${user} ${ip}\n`;
  appendFileSync(live.logPath('app'), line('a\0b', '192.0.2.66'));
  await live.sees('ban', { ip: '192.0.2.66' });
  const many = Array.from({ length: 300 }, (_, i) =>
    line(i === 7 ? 'friend' : 'foe', `198.51.100.${i % 250}`),
  );
  appendFileSync(live.logPath('app'), many.join(''));
  await live.sees('ban', { ip: '198.51.100.249' });
  await live.sees('ignored', { ip: '198.51.100.7', reason: 'command' });
  expect(live.of('fault')).toEqual([]);
});

it('an ignorecommand runs four times at once at most', async () => {
  const [runs, counts] = [join(live.folder, 'runs'), join(live.folder, 'counts')];
  mkdirSync(runs);
  const command = join(live.folder, 'ask');
  writeFileSync(
    command,
    `#!/bin/sh\ntouch ${runs}/$1\nls ${runs} | wc -l >> ${counts}\nsleep 0.05\nrm ${runs}/$1\nexit 1\n`,
  );
  chmodSync(command, 0o755);
  live.config(
    'jail.local',
    `[app]\nenabled = true\nfilter =\nfailregex = ${live.failregex}\nlogpath = ${live.logPath('app')}\nport = 1\nmaxretry = 1\nignorecommand = ${command} <ip>\n`,
  );
  writeFileSync(live.logPath('app'), '');
  await live.start();
  const lines = Array.from({ length: 40 }, (_, i) => `${new Date().toISOString()} bad 198.51.100.${i}\n`);
  appendFileSync(live.logPath('app'), lines.join(''));
  await live.sees('ban', { ip: '198.51.100.39' });
  const seen = readFileSync(counts, 'utf8').trim().split('\n').map(Number);
  expect(Math.max(...seen)).toBeLessThanOrEqual(4);
  expect(Math.max(...seen)).toBeGreaterThan(1);
});
