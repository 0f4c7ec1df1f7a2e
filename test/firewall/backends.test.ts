import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BanFirewall, GuardedJail } from '../../src/firewall/firewall.ts';
import { NeverBan } from '../../src/firewall/bans/never-ban.ts';
import type { Ban } from '../../src/jail/ban.ts';
import type { Family } from '../../src/net/address.ts';
import { dockerUser, nftables } from './enforcements.ts';
import { SimulatedKernel } from './simulated-kernel.ts';

const web: GuardedJail = {
  name: 'web',
  blocktype: 'drop',
  closes: [{ protocol: 'tcp', first: 8080, last: 8080, hostAddress: undefined }],
};
const ssh: GuardedJail = { name: 'ssh', blocktype: 'reject', closes: 'all' };
const nothing = { repairs: [], shortfalls: [], refused: [] };

// What every backend does alike; what is particular to one is tested beside it.
describe.each([dockerUser, nftables])('$name', (enforcement) => {
  let kernel: SimulatedKernel;
  let neverBan: NeverBan;

  beforeEach(() => {
    kernel = new SimulatedKernel();
    neverBan = new NeverBan({ host: [], gateways: ['172.17.0.1'], dockerSubnets: [] });
  });
  afterEach(() => kernel[Symbol.dispose]());

  /** Not yet told of any jail. */
  async function started(): Promise<BanFirewall> {
    const fw = enforcement.create(kernel, () => neverBan);
    await fw.open();
    return fw;
  }

  async function opened(): Promise<BanFirewall> {
    const fw = await started();
    await fw.takeOver(['web', 'ssh']);
    expect(await fw.reconcile([web, ssh])).toEqual(nothing);
    return fw;
  }

  /** @param seconds Infinity: for ever */
  function ban(ip: string, seconds = 600, jail = 'web'): Ban {
    const until = seconds === Infinity ? undefined : kernel.now + seconds * 1000;
    return { jail, ip, since: kernel.now, until };
  }

  /** Seconds left by address or prefix; Infinity: for ever. @param jail undefined: what is banned in any */
  function members(jail?: string, family: Family = 4): Record<string, number> {
    const held = enforcement.members(kernel, jail, family);
    return Object.fromEntries([...held].map(([ip, end]) => [ip, (end - kernel.now) / 1000]));
  }

  describe('ban and unban', () => {
    it('put addresses and prefixes into the sets of their jail and of all, for as long as the ban lasts', async () => {
      const fw = await opened();
      const bans = [ban('203.0.113.9', 60), ban('203.0.113.0/24', 70), ban('2001:db8::/64', Infinity)];
      expect(await fw.ban(bans)).toEqual([]);
      expect(members('web')).toEqual({ '203.0.113.9': 60, '203.0.113.0/24': 70 });
      expect(members('web', 6)).toEqual({ '2001:db8::/64': Infinity });
      expect(members()).toEqual(members('web'));
      expect(members(undefined, 6)).toEqual(members('web', 6));
      expect(members('ssh')).toEqual({});
    });

    it('keep an address in the set of all until its longest ban ends or is lifted', async () => {
      const fw = await opened();
      await fw.ban([ban('203.0.113.9', 3600, 'ssh')]);
      await fw.ban([ban('203.0.113.9', 60)]);
      expect(members()).toEqual({ '203.0.113.9': 3600 });
      await fw.unban([{ jail: 'ssh', ip: '203.0.113.9' }]);
      expect(members()).toEqual({ '203.0.113.9': 60 });
      expect(members('ssh')).toEqual({});
      await fw.unban([{ jail: 'web', ip: '203.0.113.9' }]);
      expect(members()).toEqual({});
      await fw.ban([ban('203.0.113.9', 60)]);
      await fw.ban([ban('203.0.113.9', 3600, 'ssh')]);
      expect(members()).toEqual({ '203.0.113.9': 3600 });
    });

    it('change the end of a ban', async () => {
      const fw = await opened();
      for (const seconds of [60, 6000]) {
        await fw.ban([ban('203.0.113.9', seconds)]);
        expect(members('web')).toEqual({ '203.0.113.9': seconds });
        expect(members()).toEqual({ '203.0.113.9': seconds });
      }
    });

    it('refuse an address that must not be banned, and nothing else of the batch', async () => {
      const fw = await opened();
      expect(await fw.ban([ban('172.17.0.1'), ban('203.0.113.9'), ban('172.16.0.0/12')])).toMatchObject([
        { jail: 'web', ip: '172.17.0.1', kind: 'gateway' },
        { jail: 'web', ip: '172.16.0.0/12', kind: 'gateway' },
      ]);
      expect(members('web')).toEqual({ '203.0.113.9': 600 });
      expect(members()).toEqual({ '203.0.113.9': 600 });
    });

    it('end with the last of what was asked for, whatever was asked for while a batch was on its way', async () => {
      const fw = await opened();
      const key = { jail: 'web', ip: '203.0.113.9' };
      await Promise.all([fw.ban([ban('203.0.113.9')]), fw.unban([key]), fw.ban([ban('203.0.113.9', 30)])]);
      expect(members('web')).toEqual({ '203.0.113.9': 30 });
      await Promise.all([fw.ban([ban('203.0.113.9', 90)]), fw.unban([key])]);
      expect(members('web')).toEqual({});
      expect(members()).toEqual({});
    });

    it('resolve, of a repeated ban, no sooner than the first is in force', async () => {
      const fw = await opened();
      const first = fw.ban([ban('203.0.113.9')]);
      await fw.ban([ban('203.0.113.9')]);
      expect(members('web')).toEqual({ '203.0.113.9': 600 });
      await first;
    });

    it('throw if the kernel cannot be written, and the next reconcile catches up', async () => {
      const fw = await opened();
      // The session, and then the process.
      kernel.failures = 2;
      await expect(fw.ban([ban('203.0.113.9')])).rejects.toMatchObject({ code: 'firewall-locked' });
      const { repairs } = await fw.reconcile([web, ssh]);
      expect(repairs).toMatchObject([{ what: 'members' }, { what: 'members' }]);
      expect(members('web')).toEqual({ '203.0.113.9': 600 });
    });

    it('remember all bans of which some could not be written', async () => {
      const fw = await opened();
      const many = Array.from({ length: 25_000 }, (_, i) =>
        ban(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`),
      );
      kernel.failures = 1;
      await expect(fw.ban(many)).rejects.toMatchObject({ code: 'firewall-locked' });
      await fw.reconcile([web, ssh]);
      expect(Object.keys(members('web'))).toHaveLength(25_000);
      expect(Object.keys(members())).toHaveLength(25_000);
    });
  });

  describe('takeOver', () => {
    it('gives back what an earlier run left in the kernel, without touching it', async () => {
      const before = await opened();
      await before.ban([
        ban('203.0.113.9', 60),
        ban('203.0.113.0/24', Infinity),
        ban('2001:db8::9', 30, 'ssh'),
      ]);
      const left = kernel.snapshot();
      const fw = await started();
      const held = await fw.takeOver(['web', 'ssh', 'new']);
      expect([...held].map(([jail, bans]) => [jail, bans.map(({ ip, until }) => [ip, until])])).toEqual([
        [
          'web',
          [
            ['203.0.113.9', kernel.now + 60_000],
            ['203.0.113.0/24', undefined],
          ],
        ],
        ['ssh', [['2001:db8::9', kernel.now + 30_000]]],
        ['new', []],
      ]);
      expect(await fw.reconcile([web, ssh])).toEqual(nothing);
      expect(kernel.snapshot()).toEqual(left);
    });

    it('takes an address that must not be banned any more out of the kernel, and tells of its ban', async () => {
      const before = await opened();
      await before.ban([ban('203.0.113.9'), ban('203.0.113.10')]);
      neverBan = new NeverBan({ host: ['203.0.113.9'], gateways: [], dockerSubnets: [] });
      const fw = await started();
      const told = [...(await fw.takeOver(['web'])).values()].flat();
      expect(told.map(({ ip }) => ip)).toEqual(['203.0.113.9', '203.0.113.10']);
      expect(Object.keys(members('web'))).toEqual(['203.0.113.10']);
      expect(Object.keys(members())).toEqual(['203.0.113.10']);
    });

    it('keeps the bans of a jail that is not named yet, and enforces them when it is', async () => {
      const before = await opened();
      await before.ban([ban('203.0.113.9'), ban('203.0.113.0/24')]);
      const fw = await started();
      await fw.takeOver(['ssh']);
      await fw.reconcile([ssh]);
      expect(Object.keys(members('web'))).toHaveLength(2);
      await fw.takeOver(['web']);
      await fw.reconcile([web, ssh]);
      expect(Object.keys(members('web'))).toHaveLength(2);
      expect(Object.keys(members())).toHaveLength(2);
    });

    it('loses nothing if a jail is named without having been taken over', async () => {
      const before = await opened();
      await before.ban([ban('203.0.113.9')]);
      const fw = await started();
      await fw.reconcile([web]);
      expect(Object.keys(members('web'))).toEqual(['203.0.113.9']);
    });
  });

  describe('reconcile', () => {
    it('does not call it a repair when jails change, and keeps the bans of one that is gone for a while', async () => {
      const fw = await opened();
      await fw.ban([ban('203.0.113.9')]);
      for (const jails of [[ssh], [], [{ ...web, closes: 'all' as const }, ssh], [web, ssh]]) {
        expect(await fw.reconcile(jails)).toEqual(nothing);
        expect(members('web')).toEqual({ '203.0.113.9': 600 });
        expect(members()).toEqual({ '203.0.113.9': 600 });
      }
    });

    it('gives up bans of addresses that have become the host’s, and of prefixes around them', async () => {
      const fw = await opened();
      await fw.ban([ban('203.0.113.9'), ban('203.0.113.0/24'), ban('198.51.100.10')]);
      neverBan = new NeverBan({ host: ['203.0.113.9'], gateways: [], dockerSubnets: [] });
      const { refused } = await fw.reconcile([web, ssh]);
      expect(refused.map(({ ip, kind }) => `${ip} ${kind}`)).toEqual([
        '203.0.113.9 host',
        '203.0.113.0/24 host',
      ]);
      expect(Object.keys(members())).toEqual(['198.51.100.10']);
    });

    it('tells, and does not throw, that nothing can be read', async () => {
      const fw = await opened();
      kernel.failures = 1;
      expect(await fw.reconcile([web, ssh])).toMatchObject({
        repairs: [],
        shortfalls: [{ jail: undefined, family: undefined, error: { code: 'firewall-locked' } }],
      });
      expect(await fw.reconcile([web, ssh])).toEqual(nothing);
    });
  });
});
