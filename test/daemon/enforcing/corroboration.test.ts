import { appendFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DryRunFirewall } from '../../../src/firewall/dry-run.ts';
import type { Firewall, Mention } from '../../../src/firewall/firewall.ts';
import { LiveDaemon } from '../jails/live-daemon.ts';

let live: LiveDaemon;
let asked: (Mention & { readonly jail: string })[];
let visitors: Set<string>;

beforeEach(() => {
  asked = [];
  visitors = new Set();
  live = new LiveDaemon();
  live.firewall = (neverBan): Firewall =>
    Object.assign(new DryRunFirewall({ neverBan, report: () => undefined }), {
      unwatched: undefined,
      strangers: async (jail: string, mentions: readonly Mention[]) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        asked.push(...mentions.map((mention) => ({ ...mention, jail })));
        return new Set(mentions.map(({ address }) => address).filter((address) => !visitors.has(address)));
      },
    });
});

afterEach(() => live.end());

/** Starts it with the jail `app`. */
async function start(options = 'maxretry = 2'): Promise<void> {
  live.config('jail.local', live.section('app', options));
  writeFileSync(live.logPath('app'), '');
  await live.start();
}

it('bans whoever was there at the failure that counts, and says once whom it does not believe', async () => {
  visitors.add('198.51.100.7');
  await start();
  // Many at once: what follows the failure that would be a ban must not be one by itself.
  live.fail('app', '203.0.113.7', 9);
  live.fail('app', '198.51.100.7', 2);
  await live.sees('ban', { ip: '198.51.100.7', failures: 2 });
  live.fail('app', '203.0.113.7', 9);
  live.fail('app', '203.0.113.8', 2);
  await live.sees('ban-uncorroborated', { ip: '203.0.113.8' });
  expect(live.of('ban')).toHaveLength(1);
  expect(live.of('ban-uncorroborated')).toMatchObject([
    { ip: '203.0.113.7', line: expect.stringContaining('bad 203.0.113.7') },
    { ip: '203.0.113.8' },
  ]);
  expect(live.control.banned()).toEqual({ app: ['198.51.100.7'] });
  const [app] = live.control.views.stats().jails;
  expect(app!.uncorroborated).toBeGreaterThan(2);
  expect(live.control.jail('app')!.corroboration).toBe('on');
  await live.restart();
  expect(live.control.banned()).toEqual({ app: ['198.51.100.7'] });
});

it('asks for the address that a line names, not for the prefix that is banned, and of when it was logged', async () => {
  await start('maxretry = 1');
  live.fail('app', '2001:db8::7');
  await live.sees('ban-uncorroborated', { ip: '2001:db8::/64' });
  expect(asked).toMatchObject([{ jail: 'app', address: '2001:db8::7' }]);
  expect(Math.abs(asked[0]!.logged - Date.now())).toBeLessThan(30_000);
  await live.stop();
  const time = new Date(Date.now() - 100_000);
  appendFileSync(live.logPath('app'), `${time.toISOString()} bad 203.0.113.9\n`);
  await live.start();
  await live.sees('ban-uncorroborated', { ip: '203.0.113.9' });
  const { logged } = asked.find(({ address }) => address === '203.0.113.9')!;
  expect(Math.abs(logged - time.getTime())).toBeLessThan(1000);
});

it('does not ask about bans by hand, and not again while one is in force', async () => {
  await start();
  await live.control.ban('app', ['203.0.113.7']);
  await live.sees('ban', { ip: '203.0.113.7' });
  live.fail('app', '203.0.113.7', 2);
  await live.sees('found', { ip: '203.0.113.7' });
  await live.control.live.attempt('app', ['203.0.113.8', '203.0.113.8'], []);
  await live.control.live.attempt('app', ['203.0.113.8'], []);
  await live.sees('ban', { ip: '203.0.113.8' });
  expect(live.of('ban-uncorroborated')).toEqual([]);
});

it('asks nothing where it is off', async () => {
  await start('maxretry = 1\ncorroborate = off');
  live.fail('app', '203.0.113.7');
  await live.sees('ban', { ip: '203.0.113.7' });
  expect(asked).toEqual([]);
  expect(live.control.jail('app')!.corroboration).toBe('off: corroborate = off');
});
