import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { longestTimeout } from '../../src/firewall/ipset-text.ts';
import { banFor, openFirewall, whyNotHere } from './firewall-fixture.ts';
import { Netns } from './netns.ts';

const web = { name: 'web', closes: 'all' as const };

let netns: Netns;

/** Members with their timeouts, as the kernel tells. */
async function members(set: string): Promise<Map<string, number>> {
  const lines = (await netns.sh('ipset', 'save', set)).matchAll(/^add \S+ (\S+) timeout (\d+)/gm);
  return new Map(Array.from(lines, ([, ip, timeout]) => [ip!, Number(timeout)]));
}

async function opened() {
  const { firewall, commands } = await openFirewall(netns);
  await firewall.takeOver(['web']);
  await firewall.reconcile([web]);
  return { firewall, commands };
}

describe.skipIf(whyNotHere())('sets in the kernel', () => {
  beforeEach(async () => {
    netns = await Netns.open();
  });
  afterEach(() => netns.close());

  it('lets bans end by itself', async () => {
    const { firewall } = await opened();
    await firewall.ban([
      banFor('203.0.113.1', 2, 'web'),
      banFor('203.0.113.2', 600, 'web'),
      banFor('203.0.113.3', undefined, 'web'),
      banFor('203.0.113.4', 100 * 86_400, 'web'),
      banFor('2001:db8::1', 2, 'web'),
    ]);
    await firewall.close();
    const held = await members('dock2ban4-web');
    expect([...held.keys()].toSorted()).toEqual(['203.0.113.1', '203.0.113.2', '203.0.113.3', '203.0.113.4']);
    expect(held.get('203.0.113.3')).toBe(0);
    expect(held.get('203.0.113.4')).toBeGreaterThan(longestTimeout - 5);
    const all = await members('dock2ban4');
    expect([...all.keys()].toSorted()).toEqual([...held.keys()].toSorted());
    // The two are read one after the other: seconds may pass between them.
    for (const [ip, seconds] of held) expect(Math.abs(all.get(ip)! - seconds), ip).toBeLessThanOrEqual(2);
    await sleep(3100);
    for (const set of ['dock2ban4-web', 'dock2ban4']) {
      expect([...(await members(set)).keys()].toSorted()).toEqual([
        '203.0.113.2',
        '203.0.113.3',
        '203.0.113.4',
      ]);
    }
    for (const set of ['dock2ban6-web', 'dock2ban6']) expect(await members(set)).toEqual(new Map());
  });

  it('takes over what an earlier run left, IPv6 spellings included', async () => {
    const first = await opened();
    const bans = ['203.0.113.1', '2001:db8::1', '::102:304', '64:ff9b::c000:201'].map((ip) =>
      banFor(ip, 300, 'web'),
    );
    await first.firewall.ban([...bans, banFor('203.0.113.2', undefined, 'web')]);
    await first.firewall.close();
    const { firewall, commands } = await openFirewall(netns);
    const held = (await firewall.takeOver(['web'])).get('web')!;
    expect(held.map(({ ip }) => ip).toSorted()).toEqual(
      [...bans.map(({ ip }) => ip), '203.0.113.2'].toSorted(),
    );
    for (const { ip, until } of held) {
      if (ip === '203.0.113.2') expect(until).toBeUndefined();
      else expect(Math.abs(until! - bans[0]!.until!)).toBeLessThan(2500);
    }
    await firewall.reconcile([web]);
    commands.length = 0;
    expect(await firewall.reconcile([web])).toEqual({ repairs: [], shortfalls: [], refused: [] });
    expect(commands.filter((command) => /restore/.test(command))).toEqual([]);
    await firewall.close();
  });

  it('refuses what must not be banned, and puts in the rest', async () => {
    const { firewall } = await opened();
    const ips = ['127.0.0.1', '172.17.0.1', '192.0.2.1', '0.0.0.0', '::', '203.0.113.1'];
    const refused = await firewall.ban(ips.map((ip) => banFor(ip, 600, 'web')));
    expect(refused.map(({ ip, kind }) => `${ip} ${kind}`)).toEqual([
      '127.0.0.1 loopback',
      '172.17.0.1 gateway',
      '192.0.2.1 host',
      '0.0.0.0 special',
      ':: special',
    ]);
    expect([...(await members('dock2ban4')).keys()]).toEqual(['203.0.113.1']);
    await firewall.close();
  });

  it('reports bans of a set that is not ours, and puts in the rest', async () => {
    const { firewall } = await opened();
    await netns.sh('ipset', 'create', 'dock2ban4-other', 'hash:net');
    expect(
      await firewall.ban([banFor('203.0.113.1', 600, 'other'), banFor('203.0.113.2', 600, 'web')]),
    ).toMatchObject([{ jail: 'other', ip: '203.0.113.1', kind: 'kernel' }]);
    expect([...(await members('dock2ban4-web')).keys()]).toEqual(['203.0.113.2']);
    await firewall.close();
  });

  it('adds and removes ten thousand addresses in one batch', async () => {
    const { firewall, commands } = await opened();
    const bans = Array.from({ length: 10_000 }, (_, i) => banFor(`10.9.${i >> 8}.${i & 255}`, 600, 'web'));
    commands.length = 0;
    expect(await firewall.ban(bans)).toEqual([]);
    expect(commands).toEqual(['ipset -exist restore']);
    expect((await members('dock2ban4-web')).size).toBe(10_000);
    expect((await members('dock2ban4')).size).toBe(10_000);
    expect(await firewall.reconcile([web])).toEqual({ repairs: [], shortfalls: [], refused: [] });
    await firewall.unban(bans);
    expect((await members('dock2ban4-web')).size).toBe(0);
    expect((await members('dock2ban4')).size).toBe(0);
    await firewall.close();
  });

  it('adds and removes a stream of single addresses without a process each', async () => {
    const { firewall, commands } = await opened();
    const bans = Array.from({ length: 500 }, (_, i) => banFor(`2001:db8::${i.toString(16)}:1`, 600, 'web'));
    commands.length = 0;
    for (const ban of bans) await firewall.ban([ban]);
    expect((await members('dock2ban6-web')).size).toBe(500);
    for (const ban of bans) await firewall.unban([ban]);
    expect((await members('dock2ban6-web')).size).toBe(0);
    expect((await members('dock2ban6')).size).toBe(0);
    expect(commands).toEqual([]);
    await firewall.close();
  });

  it('changes the end of a ban', async () => {
    const { firewall } = await opened();
    await firewall.ban([banFor('203.0.113.1', 600, 'web')]);
    await firewall.ban([banFor('203.0.113.1', 6000, 'web')]);
    expect((await members('dock2ban4-web')).get('203.0.113.1')).toBeGreaterThan(5990);
    await firewall.ban([banFor('203.0.113.1', undefined, 'web')]);
    expect((await members('dock2ban4')).get('203.0.113.1')).toBe(0);
    await firewall.close();
  });
});
