import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allSet, jailSet } from '../../src/firewall/bans/set-names.ts';
import type { GuardedJail } from '../../src/firewall/firewall.ts';
import { longestTimeout } from '../../src/firewall/ipset/ipset-text.ts';
import { parseListing } from '../../src/firewall/nft/listing.ts';
import { placeFinder, prefixText } from '../../src/firewall/nft/names.ts';
import type { Family } from '../../src/net/address.ts';
import { backends, banFor, openFirewall, whyNotHere } from './firewall-fixture.ts';
import { Netns } from './netns.ts';

const web: GuardedJail = { name: 'web', closes: 'all', blocktype: 'drop' };
const nothing = { repairs: [], shortfalls: [], refused: [] };
const day = 86_400;

// What the sets of both backends do alike; what is particular to one is tested in ipset-sets and nft-sets.
describe.skipIf(whyNotHere()).each(backends)('sets in the kernel (%s)', (backend) => {
  let netns: Netns;
  const isNft = backend === 'nftables';

  beforeEach(async () => {
    netns = await Netns.open();
  });
  afterEach(() => netns.close());

  async function opened() {
    const { firewall, commands } = await openFirewall(netns, backend);
    await firewall.takeOver(['web']);
    await firewall.reconcile([web]);
    commands.length = 0;
    return { firewall, commands };
  }

  /** Members of a jail's sets with their timeouts, as the kernel tells. @param jail undefined: of those of all */
  async function members(jail?: string, family: Family = 4): Promise<ReadonlyMap<string, number>> {
    if (!isNft) {
      const set = jail === undefined ? allSet(family) : jailSet(jail, family);
      const lines = (await netns.sh('ipset', 'save', set)).matchAll(/^add \S+ (\S+) timeout (\d+)/gm);
      return new Map(Array.from(lines, ([, ip, timeout]) => [ip!, Number(timeout)]));
    }
    const find = placeFinder([jail]);
    const listing = await netns.sh('nft', '-j', 'list', 'table', 'inet', 'dock2ban');
    return new Map(
      [...parseListing(listing, 'inet dock2ban').members].flatMap(([set, held]) => {
        const place = find(set);
        if (place?.family !== family) return [];
        return Array.from(held, ([address, seconds]) => [prefixText(address, place), seconds] as const);
      }),
    );
  }

  const names = async (jail?: string, family?: Family): Promise<string[]> =>
    [...(await members(jail, family)).keys()].toSorted();

  it('let bans end by themselves', async () => {
    const { firewall } = await opened();
    await firewall.ban([
      banFor('203.0.113.1', 2, 'web'),
      banFor('203.0.113.2', 600, 'web'),
      banFor('203.0.113.3', undefined, 'web'),
      banFor('203.0.113.4', 1000 * day, 'web'),
      banFor('203.0.113.0/24', 2, 'web'),
      banFor('2001:db8::/64', 2, 'web'),
      banFor('2001:db8::1', 2, 'web'),
    ]);
    await firewall.close();
    const held = await members('web');
    expect(held.size).toBe(5);
    expect(held.get('203.0.113.3')).toBe(0);
    expect(held.get('203.0.113.4')).toBeGreaterThan((isNft ? 1000 * day : longestTimeout) - 60);
    const all = await members();
    expect([...all.keys()].toSorted()).toEqual([...held.keys()].toSorted());
    // The two are read one after the other: seconds may pass between them.
    for (const [ip, seconds] of held) expect(Math.abs(all.get(ip)! - seconds), ip).toBeLessThanOrEqual(2);
    expect((await names(undefined, 6)).length).toBe(2);
    await sleep(3100);
    for (const jail of ['web', undefined]) {
      expect(await names(jail)).toEqual(['203.0.113.2', '203.0.113.3', '203.0.113.4']);
      expect(await names(jail, 6)).toEqual([]);
    }
    expect(await firewall.reconcile([web])).toEqual(nothing);
    await firewall.close();
  });

  it('are taken over as an earlier run left them, IPv6 spellings included', async () => {
    const first = await opened();
    const ips = ['203.0.113.1', '203.0.112.0/20', '2001:db8:0:1::/64', '::102:304', '64:ff9b::c000:201'];
    const bans = ips.map((ip) => banFor(ip, 300, 'web'));
    await first.firewall.ban([...bans, banFor('203.0.113.2', undefined, 'web')]);
    await first.firewall.close();
    const { firewall, commands } = await openFirewall(netns, backend);
    const held = (await firewall.takeOver(['web'])).get('web')!;
    expect(held.map(({ ip }) => ip).toSorted()).toEqual([...ips, '203.0.113.2'].toSorted());
    for (const { ip, until } of held) {
      if (ip === '203.0.113.2') expect(until).toBeUndefined();
      else expect(Math.abs(until! - bans[0]!.until!)).toBeLessThan(2500);
    }
    await firewall.reconcile([web]);
    commands.length = 0;
    expect(await firewall.reconcile([web])).toEqual(nothing);
    expect(commands.filter((command) => /restore|-f/.test(command))).toEqual([]);
    await firewall.close();
  });

  it('take nothing that must not be banned, and the rest', async () => {
    const { firewall } = await opened();
    const kinds = {
      '127.0.0.1': 'loopback',
      '172.17.0.1': 'gateway',
      '192.0.2.1': 'host',
      '0.0.0.0': 'special',
      '::': 'special',
      '0.0.0.0/0': 'loopback',
      '::/0': 'loopback',
      '192.0.2.0/24': 'host',
    };
    const ips = [...Object.keys(kinds), '203.0.113.1', '203.0.113.0/24'];
    const refused = await firewall.ban(ips.map((ip) => banFor(ip, 600, 'web')));
    expect(Object.fromEntries(refused.map(({ ip, kind }) => [ip, kind]))).toEqual(kinds);
    for (const jail of ['web', undefined]) {
      expect(await names(jail)).toEqual(['203.0.113.0/24', '203.0.113.1']);
      expect(await names(jail, 6)).toEqual([]);
    }
    await firewall.close();
  });

  it('take and lose ten thousand addresses in one batch', async () => {
    const { firewall, commands } = await opened();
    const bans = Array.from({ length: 10_000 }, (_, i) => banFor(`10.9.${i >> 8}.${i & 255}`, 600, 'web'));
    expect(await firewall.ban(bans)).toEqual([]);
    expect(commands).toEqual([isNft ? 'nft -f -' : 'ipset -exist restore']);
    for (const jail of ['web', undefined]) expect((await members(jail)).size).toBe(10_000);
    expect(await firewall.reconcile([web])).toEqual(nothing);
    await firewall.unban(bans);
    for (const jail of ['web', undefined]) expect((await members(jail)).size).toBe(0);
    await firewall.close();
  });

  it('take and lose a stream of single addresses without a process each', async () => {
    const { firewall, commands } = await opened();
    const bans = Array.from({ length: 300 }, (_, i) => banFor(`2001:db8::${i.toString(16)}:1`, 600, 'web'));
    // The first of its prefix length brings rules with it, where sets hold one length each.
    await firewall.ban(bans.slice(0, 1));
    commands.length = 0;
    for (const ban of bans) await firewall.ban([ban]);
    expect((await members('web', 6)).size).toBe(300);
    for (const ban of bans) await firewall.unban([ban]);
    for (const jail of ['web', undefined]) expect((await members(jail, 6)).size).toBe(0);
    expect(commands).toEqual([]);
    await firewall.close();
  });

  it('change the end of a ban', async () => {
    const { firewall } = await opened();
    await firewall.ban([banFor('203.0.113.1', 600, 'web')]);
    await firewall.ban([banFor('203.0.113.1', 6000, 'web')]);
    expect((await members('web')).get('203.0.113.1')).toBeGreaterThan(5990);
    await firewall.ban([banFor('203.0.113.1', 60, 'web')]);
    expect((await members('web')).get('203.0.113.1')).toBeLessThan(61);
    await firewall.ban([banFor('203.0.113.1', undefined, 'web')]);
    expect((await members()).get('203.0.113.1')).toBe(0);
    await firewall.close();
  });
});
