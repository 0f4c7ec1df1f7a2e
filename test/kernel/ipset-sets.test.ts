import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DockerUserFirewall } from '../../src/firewall/iptables/docker-user.ts';
import { longestTimeout } from '../../src/firewall/ipset/ipset-text.ts';
import { NeverBan } from '../../src/firewall/bans/never-ban.ts';
import { banFor, openFirewall, whyNotHere } from './firewall-fixture.ts';
import { Netns } from './netns.ts';

const web = { name: 'web', closes: 'all' as const, blocktype: 'drop' as const };

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

describe.skipIf(whyNotHere())('sets of ipset in the kernel', () => {
  beforeEach(async () => {
    netns = await Netns.open();
  });
  afterEach(() => netns.close());

  it('reports bans of a set that is not ours, and puts in the rest', async () => {
    const { firewall } = await opened();
    await netns.sh('ipset', 'create', 'dock2ban-4-other', 'hash:ip');
    expect(
      await firewall.ban([banFor('203.0.113.1', 600, 'other'), banFor('203.0.113.2', 600, 'web')]),
    ).toMatchObject([{ jail: 'other', ip: '203.0.113.1', kind: 'kernel' }]);
    expect([...(await members('dock2ban-4-web')).keys()]).toEqual(['203.0.113.2']);
    await firewall.close();
  });

  /** Whether the kernel would find an address in a set. */
  async function holds(set: string, ip: string): Promise<boolean> {
    return netns.sh('ipset', 'test', set, ip).then(
      () => true,
      () => false,
    );
  }

  it('holds prefixes within prefixes, each until its own end', async () => {
    const { firewall } = await opened();
    await firewall.ban([
      banFor('203.0.113.0/24', 2, 'web'),
      banFor('203.0.0.0/16', 600, 'web'),
      banFor('198.51.100.0/24', 600, 'web'),
      banFor('198.51.100.7', 2, 'web'),
      banFor('192.0.2.64/26', 2, 'web'),
      banFor('192.0.2.70', 600, 'web'),
      banFor('2001:db8:0:1::/64', 600, 'web'),
      banFor('::102:300/120', 600, 'web'),
    ]);
    const looked = ['203.0.113.7', '203.0.114.7', '198.51.100.7', '192.0.2.70', '192.0.2.71', '192.0.2.1'];
    const found = async (): Promise<string[]> => {
      const results = await Promise.all(looked.map((ip) => holds('dock2ban-4', ip)));
      return looked.filter((_, i) => results[i]);
    };
    expect(await found()).toEqual(['203.0.113.7', '203.0.114.7', '198.51.100.7', '192.0.2.70', '192.0.2.71']);
    await sleep(3100);
    // What has ended neither bans any more nor hides what still does.
    expect(await found()).toEqual(['203.0.113.7', '203.0.114.7', '198.51.100.7', '192.0.2.70']);
    expect(await holds('dock2ban-6-web', '2001:db8:0:1:ffff::1')).toBe(true);
    expect(await holds('dock2ban-6-web', '2001:db8:0:2::1')).toBe(false);
    expect((await firewall.reconcile([web])).repairs).toEqual([]);
    await firewall.unban([
      { jail: 'web', ip: '203.0.0.0/16' },
      { jail: 'web', ip: '2001:db8:0:1::/64' },
    ]);
    expect(await found()).toEqual(['198.51.100.7', '192.0.2.70']);
    await firewall.close();
    const second = await openFirewall(netns);
    const held = (await second.firewall.takeOver(['web'])).get('web')!;
    expect(held.map(({ ip }) => ip).toSorted()).toEqual(['192.0.2.70', '198.51.100.0/24', '::102:300/120']);
    await second.firewall.close();
  });

  it('makes room in a set that takes only a few, and loses nothing', async () => {
    await netns.sh('ipset', 'create', 'dock2ban-4-web', 'hash:net', 'maxelem', '4', 'timeout', '0');
    for (const i of [1, 2, 3, 4]) await netns.sh('ipset', 'add', 'dock2ban-4-web', `203.0.113.${i}`);
    const { firewall } = await openFirewall(netns);
    await firewall.takeOver(['web']);
    expect((await firewall.reconcile([web])).shortfalls).toEqual([]);
    const more = Array.from({ length: 2000 }, (_, i) => banFor(`10.9.${i >> 8}.${i & 255}`, 600, 'web'));
    expect(await firewall.ban(more)).toEqual([]);
    const held = await members('dock2ban-4-web');
    expect(held.size).toBe(2004);
    expect(held.get('203.0.113.4')).toBe(0);
    expect((await members('dock2ban-4')).size).toBe(2004);
    // Rules refer to it: only a swap can replace it now.
    await netns.sh('ipset', 'create', 'tiny', 'hash:net', 'maxelem', '3', 'timeout', '0');
    await netns.sh('ipset', 'swap', 'tiny', 'dock2ban-4-web');
    await netns.sh('ipset', 'destroy', 'tiny');
    expect((await firewall.reconcile([web])).repairs).toMatchObject([{ what: 'members', family: 4 }]);
    expect((await members('dock2ban-4-web')).size).toBe(2004);
    expect(await firewall.reconcile([web])).toEqual({ repairs: [], shortfalls: [], refused: [] });
    await firewall.close();
  });

  it('arms bans again that are longer than ipset can count, also those that an earlier run has armed', async () => {
    let ahead = 0;
    const now = (): number => Date.now() + ahead;
    const start = async (): Promise<DockerUserFirewall> => {
      const neverBan = new NeverBan({ host: [], gateways: [], dockerSubnets: [] });
      const { tools, procNet } = netns;
      const firewall = new DockerUserFirewall({ tools, procNet, now, neverBan: () => neverBan });
      await firewall.open();
      await firewall.takeOver(['web']);
      await firewall.reconcile([web]);
      return firewall;
    };
    const day = 86_400_000;
    const long = { jail: 'web', ip: '203.0.113.0/24', since: now(), until: now() + 100 * day };
    const first = await start();
    await first.ban([long, { ...long, ip: '203.0.113.9', until: undefined }]);
    await first.close();
    // As after a reboot of dock2ban alone: the kernel knows 24.8 days, what is stored knows the rest.
    const second = await start();
    await second.ban([long]);
    await netns.sh('ipset', '-exist', 'add', 'dock2ban-4-web', '203.0.113.0/24', 'timeout', '1100000');
    await netns.sh('ipset', '-exist', 'add', 'dock2ban-4', '203.0.113.0/24', 'timeout', '1100000');
    ahead = 12.5 * day;
    await second.reconcile([web]);
    for (const set of ['dock2ban-4-web', 'dock2ban-4']) {
      const held = await members(set);
      expect(held.get('203.0.113.0/24')).toBeGreaterThan(longestTimeout - 60);
      expect(held.get('203.0.113.9')).toBe(0);
    }
    await second.close();
  });
});
