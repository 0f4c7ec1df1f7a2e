import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GuardedJail } from '../../src/firewall/firewall.ts';
import { parseListing } from '../../src/firewall/nft/listing.ts';
import { banFor, openFirewall, whyNotHere } from './firewall-fixture.ts';
import { Netns } from './netns.ts';

const web: GuardedJail = { name: 'web', closes: 'all', blocktype: 'drop' };
const nothing = { repairs: [], shortfalls: [], refused: [] };
const table = ['inet', 'dock2ban'];

let netns: Netns;

/** Elements with their timeouts, as the kernel tells. */
async function members(set: string): Promise<ReadonlyMap<string, number>> {
  const listed = await netns.sh('nft', '-j', 'list', 'set', ...table, set);
  return parseListing(listed, table.join(' ')).members.get(set)!;
}

/** Whether the kernel finds an element in a set. */
async function holds(set: string, element: string): Promise<boolean> {
  return netns.sh('nft', 'get', 'element', ...table, set, `{ ${element} }`).then(
    () => true,
    () => false,
  );
}

async function opened() {
  const { firewall, commands } = await openFirewall(netns, 'nftables');
  await firewall.takeOver(['web']);
  await firewall.reconcile([web]);
  return { firewall, commands };
}

describe.skipIf(whyNotHere())('sets of nftables in the kernel', () => {
  beforeEach(async () => {
    netns = await Netns.open();
  });
  afterEach(() => netns.close());

  it('takes prefixes within prefixes, each until its own end', async () => {
    const { firewall } = await opened();
    await firewall.ban([
      banFor('203.0.113.0/24', 2, 'web'),
      banFor('203.0.0.0/16', 600, 'web'),
      banFor('203.0.113.7', 2, 'web'),
    ]);
    const found = async (): Promise<boolean[]> =>
      Promise.all([
        holds('dock2ban-4-web', '203.0.113.7'),
        holds('dock2ban-4-web/24', '203.0.113.0'),
        holds('dock2ban-4-web/16', '203.0.0.0'),
      ]);
    expect(await found()).toEqual([true, true, true]);
    await sleep(3100);
    expect(await found()).toEqual([false, false, true]);
    expect(await firewall.reconcile([web])).toEqual(nothing);
    await firewall.close();
  });

  it('makes a set anew that takes too few, or holds something else, and loses nothing', async () => {
    const { firewall } = await opened();
    await firewall.ban([banFor('203.0.113.1', 600, 'web'), banFor('2001:db8::/64', 600, 'web')]);
    await netns.feed(
      [
        'flush chain inet dock2ban banned',
        'flush chain inet dock2ban guard',
        'delete set inet dock2ban dock2ban-4-web',
        'add set inet dock2ban dock2ban-4-web { type ipv4_addr; flags timeout; size 2; }',
        'delete set inet dock2ban dock2ban-6/64',
        'add set inet dock2ban dock2ban-6/64 { type ipv4_addr; flags timeout; }',
        '',
      ].join('\n'),
      'nft',
      '-f',
      '-',
    );
    const more = Array.from({ length: 2000 }, (_, i) => banFor(`10.9.${i >> 8}.${i & 255}`, 600, 'web'));
    expect((await firewall.ban(more)).map(({ kind }) => kind)).toEqual(more.map(() => 'kernel'));
    expect((await firewall.reconcile([web])).shortfalls).toEqual([]);
    expect((await members('dock2ban-4-web')).size).toBe(2001);
    expect((await members('dock2ban-4')).size).toBe(2001);
    expect([...(await members('dock2ban-6/64')).keys()]).toEqual(['2001:db8::']);
    expect(await firewall.reconcile([web])).toEqual(nothing);
    await firewall.close();
  });

  it('adds and removes a stream of single addresses without a process each', async () => {
    const { firewall, commands } = await opened();
    const bans = Array.from({ length: 300 }, (_, i) => banFor(`203.0.${i >> 8}.${i & 255}`, 600, 'web'));
    commands.length = 0;
    for (const ban of bans) await firewall.ban([ban]);
    expect((await members('dock2ban-4-web')).size).toBe(300);
    for (const ban of bans) await firewall.unban([ban]);
    for (const set of ['dock2ban-4-web', 'dock2ban-4']) expect((await members(set)).size).toBe(0);
    expect(commands).toEqual([]);
    // What was there before the table is taken away from under the session: that takes a process, once.
    await netns.sh('nft', 'flush', 'ruleset');
    for (const ban of bans.slice(0, 2)) await firewall.ban([ban]);
    expect((await members('dock2ban-4-web')).size).toBe(2);
    expect(commands).toEqual(['nft -f -']);
    await firewall.close();
  });

  it.each(['delete table inet dock2ban', 'flush ruleset', 'delete set inet dock2ban dock2ban-4-web'])(
    'takes a ban right after `%s`, before it has noticed',
    async (script) => {
      const { firewall } = await opened();
      await firewall.ban([banFor('203.0.113.1', 600, 'web')]);
      // A set that rules refer to can't be deleted.
      const clear = script.startsWith('delete set') ? 'flush table inet dock2ban\n' : '';
      await netns.feed(`${clear}${script}\n`, 'nft', '-f', '-');
      expect(await firewall.ban([banFor('203.0.113.2', 600, 'web')])).toEqual([]);
      expect(await holds('dock2ban-4-web', '203.0.113.2')).toBe(true);
      expect((await firewall.reconcile([web])).shortfalls).toEqual([]);
      for (const set of ['dock2ban-4-web', 'dock2ban-4']) {
        expect([...(await members(set)).keys()].toSorted()).toEqual(['203.0.113.1', '203.0.113.2']);
      }
      await firewall.close();
    },
  );

  it('notices among many that a set was emptied, or one element is gone', async () => {
    const { firewall } = await opened();
    const bans = Array.from({ length: 3000 }, (_, i) =>
      banFor(`2001:db8:${(i + 1).toString(16)}::/64`, 6000, 'web'),
    );
    await firewall.ban(bans);
    expect(await firewall.reconcile([web])).toEqual(nothing);
    await netns.sh('nft', 'flush', 'set', ...table, 'dock2ban-6/64');
    expect((await firewall.reconcile([web])).repairs).toMatchObject([{ what: 'members' }]);
    expect((await members('dock2ban-6/64')).size).toBe(3000);
    await netns.sh('nft', 'delete', 'element', ...table, 'dock2ban-6-web/64', '{ 2001:db8:7:: }');
    const found: string[] = [];
    for (let i = 0; i < 10 && found.length === 0; i += 1) {
      found.push(...(await firewall.reconcile([web])).repairs.map(({ detail }) => detail));
    }
    expect(found).toEqual([
      'set dock2ban-6-web/64 of table inet dock2ban: 1 of 3000 addresses were missing or wrong, 0 were unexpected',
    ]);
    expect((await members('dock2ban-6-web/64')).size).toBe(3000);
    await firewall.close();
  });
});
