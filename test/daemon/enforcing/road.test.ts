import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BanFirewall } from '../../../src/firewall/firewall.ts';
import { FirewallError } from '../../../src/firewall/tool/errors.ts';
import { nftables } from '../../firewall/enforcements.ts';
import { SimulatedKernel } from '../../firewall/simulated-kernel.ts';
import { LiveDaemon } from '../jails/live-daemon.ts';

const ip = '203.0.113.9';
const longWait = { timeout: 15_000 };

let daemon: LiveDaemon;
let kernel: SimulatedKernel;
/** Whether the kernel can't be written. */
let isBusy: boolean;
/** Whether the kernel refuses the address for good. */
let isRefused: boolean;
/** What happened to the address, in order; `kernel` as it is asked, and whether the store knew of the ban by then. */
const effects = (): string[] =>
  daemon.events
    .filter((event) => event['ip'] === ip)
    .map(({ event, jail, stored }) =>
      [event, jail === 'recidive' ? jail : '', stored === undefined ? '' : `stored ${JSON.stringify(stored)}`]
        .filter(Boolean)
        .join(' '),
    );
const told = (): string[] => effects().filter((effect) => /^(?:ban|restore|unban)$/.test(effect));
const held = (): string[] => [...nftables.members(kernel, 'app', 4).keys()];
const isStored = (): boolean => {
  const { jails } = daemon.control.views.why(ip);
  return jails.some(
    ({ jail, bans, past }) => jail === 'app' && [...bans, ...past].some(({ count }) => count !== null),
  );
};

beforeEach(() => {
  kernel = new SimulatedKernel();
  kernel.now = Date.now();
  isBusy = false;
  isRefused = false;
  daemon = new LiveDaemon();
  daemon.firewall = (neverBan) => {
    const firewall: BanFirewall = nftables.create(kernel, neverBan);
    const ban = firewall.ban.bind(firewall);
    const unban = firewall.unban.bind(firewall);
    const ask = (verb: string, keys: readonly { ip: string }[]): void => {
      if (!keys.some((key) => key.ip === ip)) return;
      daemon.events.push({ event: verb, msg: '', ip, stored: isStored() });
      if (isBusy) throw new FirewallError('firewall-locked', 'the lock is held');
    };
    firewall.ban = async (bans) => {
      ask('kernel', bans);
      if (!isRefused) return ban(bans);
      return bans.map(({ jail }) => ({ jail, ip, kind: 'kernel', reason: 'the kernel would not' }));
    };
    firewall.unban = async (keys) => {
      ask('kernel unban', keys);
      await unban(keys);
    };
    return firewall;
  };
  daemon.config(
    'jail.local',
    `${daemon.section('app', 'maxretry = 1\nbantime = 1h')}\n[recidive]\nenabled = true\n`,
  );
});

afterEach(() => daemon.end());

interface Way {
  readonly origin: string;
  /** To be in the state before. */
  readonly begin: () => Promise<void>;
  readonly ban: () => Promise<unknown>;
  /** What is seen of a ban in force, of how it comes to be before, and of who listens after. */
  readonly before: readonly string[];
  readonly event: string;
  readonly after: readonly string[];
}

const start = (): Promise<void> => daemon.start();

const ways: readonly Way[] = [
  {
    origin: 'log',
    begin: start,
    ban: async () => {
      daemon.fail('app', ip);
      await daemon.sees('found', { jail: 'app', ip });
    },
    before: ['found'],
    event: 'ban',
    after: ['found recidive'],
  },
  {
    origin: 'hand',
    begin: start,
    ban: () => daemon.control.ban('app', [ip]),
    before: [],
    event: 'ban',
    after: ['found recidive'],
  },
  {
    origin: 'imported',
    begin: start,
    ban: () =>
      daemon.control.views.import([
        {
          jail: 'app',
          ip,
          since: new Date().toISOString(),
          until: null,
          count: 3,
          failures: 4,
          container: null,
          lines: [],
        },
      ]),
    before: [],
    event: 'restore',
    after: [],
  },
  {
    origin: 'restored',
    begin: async () => {
      await daemon.start();
      await daemon.control.ban('app', [ip]);
      await daemon.stop();
      kernel = new SimulatedKernel();
      kernel.now = Date.now();
    },
    ban: start,
    before: [],
    event: 'restore',
    after: [],
  },
];

describe.each(ways)('a ban of origin $origin', ({ origin, begin, ban, before, event, after }) => {
  it('goes to the store, the kernel, the log and who listens, in this order', async () => {
    await begin();
    await ban();
    const whole = [...before, 'kernel stored true', event, ...after];
    await vi.waitFor(() => expect(effects()).toEqual(whole), longWait);
    expect(held()).toEqual([ip]);
    // Nothing is told or done again.
    await daemon.control.live.reload(undefined);
    expect(effects()).toEqual(whole);
  });

  it('that the kernel is too busy for is remembered, tried again, and told when it is in force', async () => {
    await begin();
    isBusy = true;
    await ban();
    await daemon.sees('firewall-error', { error: 'the lock is held' });
    await daemon.control.live.reload(undefined);
    await daemon.control.live.reload(undefined);
    expect([told(), held(), isStored()]).toEqual([[], [], true]);
    expect(effects().filter((effect) => effect.includes('recidive'))).toEqual([]);
    expect(daemon.of('firewall-error')).toHaveLength(1);
    isBusy = false;
    await daemon.control.live.reload(undefined);
    await vi.waitFor(() => expect(told()).toEqual([event]), longWait);
    expect(effects().slice(-1 - after.length)).toEqual([event, ...after]);
    expect(held()).toEqual([ip]);
    expect(daemon.control.status().firewall).toMatchObject({ healthy: true });
  });

  it('that the kernel was too busy for comes into force after a restart', async () => {
    await begin();
    isBusy = true;
    await ban();
    await daemon.sees('firewall-error');
    await daemon.stop();
    isBusy = false;
    await daemon.start();
    await daemon.sees('restore', { jail: 'app', ip });
    expect(held()).toEqual([ip]);
  });

  it('comes into force while the store can’t be written, which is said once, and is stored afterwards', async () => {
    await begin();
    const other = new DatabaseSync(`${daemon.folder}/state/dock2ban.sqlite3`);
    other.exec('BEGIN IMMEDIATE');
    await ban();
    if (origin === 'restored') {
      // What can't be read can't be restored.
      await daemon.sees('store-failed');
      expect([told(), held()]).toEqual([[], []]);
      other.exec('ROLLBACK');
    }
    await vi.waitFor(() => expect(told()).toEqual([event]), longWait);
    expect(held()).toEqual([ip]);
    await daemon.sees('store-failed');
    expect(daemon.of('store-failed')).toHaveLength(1);
    other.close();
    await daemon.sees('store-resumed');
    expect(isStored()).toBe(true);
  });

  it('of an address that must never be banned is not made, stored or told', async () => {
    await begin();
    daemon.engine.networks = [
      { Name: 'own', Driver: 'bridge', IPAM: { Config: [{ Subnet: '203.0.113.0/24' }] } },
    ];
    if (origin === 'restored') {
      await ban();
      await daemon.sees('ban-suspended', { jail: 'app', ip });
    } else {
      await daemon.engine.emit('{"Type":"network"}\n');
      await vi.waitFor(() => expect(daemon.control.views.why(ip).neverBanned).not.toBeNull(), longWait);
      daemon.fail('app', ip);
      await (origin === 'log' ? daemon.sees('ignored', { ip }) : ban());
    }
    await daemon.control.live.reload(undefined);
    expect([told(), held(), effects().filter((effect) => effect.startsWith('found'))]).toEqual([[], [], []]);
    // A ban that was made when it might be is remembered.
    expect(isStored()).toBe(origin === 'restored');
  });

  it('that the kernel refuses for good is forgotten', async () => {
    await begin();
    isRefused = true;
    await ban();
    await daemon.sees('ignored', { ip, reason: 'the kernel would not' });
    await daemon.control.live.reload(undefined);
    expect([told(), held(), isStored()]).toEqual([[], [], false]);
    expect(daemon.control.banned()['app']).toEqual([]);
    expect(effects().filter((effect) => effect.includes('recidive'))).toEqual([]);
  });
});

describe('a ban that is lifted', () => {
  it('is out of the store and the kernel before it is told', async () => {
    await daemon.start();
    await daemon.control.ban('app', [ip]);
    daemon.events.length = 0;
    await daemon.control.unban('app', [ip]);
    expect(effects()).toEqual(['kernel unban stored false', 'unban']);
    expect(held()).toEqual([]);
  });

  it('while the kernel is busy is told when it is, and does not come back', async () => {
    await daemon.start();
    await daemon.control.ban('app', [ip]);
    daemon.events.length = 0;
    isBusy = true;
    await daemon.control.unban('app', [ip]);
    await daemon.sees('firewall-error');
    expect([told(), held(), isStored()]).toEqual([[], [ip], false]);
    isBusy = false;
    await daemon.control.live.reload(undefined);
    expect([told(), held()]).toEqual([['unban'], []]);
  });

  it('before it came into force is not told at all', async () => {
    await daemon.start();
    isBusy = true;
    await daemon.control.ban('app', [ip]);
    await daemon.control.unban('app', [ip]);
    isBusy = false;
    await daemon.control.live.reload(undefined);
    expect([told(), held(), isStored()]).toEqual([[], [], false]);
  });
});
