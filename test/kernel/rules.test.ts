import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Family } from '../../src/net/address.ts';
import { chainRules } from '../../src/firewall/iptables/chain-rules.ts';
import { parseTable, type FilterTable } from '../../src/firewall/iptables/filter-table.ts';
import type { Variant } from '../../src/firewall/iptables/tool.ts';
import { banFor, everything, likeDocker, openFirewall, published, whyNotHere } from './firewall-fixture.ts';
import { Netns } from './netns.ts';

const jails = [
  { name: 'all', closes: 'all' as const, blocktype: 'drop' as const },
  {
    name: 'a-jail-with-quite-a-long-name',
    blocktype: 'drop' as const,
    closes: [
      published(8080),
      published(8090, 8099),
      published(443, 443, { protocol: 'udp' }),
      published(5000, 5001, { protocol: 'sctp' }),
      published(53, 53, { protocol: 'udp', hostAddress: '192.0.2.7' }),
      published(53, 60, { protocol: 'udp', hostAddress: '2001:db8::7' }),
      published(80, 80, { hostAddress: '::102:304' }),
    ],
  },
  { name: 'nothing', closes: [], blocktype: 'drop' as const },
  { name: 'reject-all', closes: 'all' as const, blocktype: 'reject' as const },
  {
    name: 'reject-some',
    closes: [published(81), published(54, 54, { protocol: 'udp' }), published(9, 9, { protocol: 'sctp' })],
    blocktype: 'reject' as const,
  },
];
const nothing = { repairs: [], shortfalls: [], refused: [] };

let netns: Netns;

async function table(variant: Variant, family: Family): Promise<FilterTable> {
  return parseTable(await netns.sh(`ip${family === 6 ? '6' : ''}tables-${variant}-save`, '-t', 'filter'));
}

const isWrite = (command: string): boolean => /restore/.test(command);

describe.skipIf(whyNotHere())('rules in the kernel', () => {
  beforeEach(async () => {
    netns = await Netns.open();
  });
  afterEach(() => netns.close());

  describe.each(['nft', 'legacy'] as const)('%s', (variant) => {
    beforeEach(() => likeDocker(netns, variant));

    it('reads back every rule as it was planned, and has nothing more to write', async () => {
      const { firewall, commands } = await openFirewall(netns);
      expect(firewall.info).toMatchObject({ variant, entry: { 4: 'DOCKER-USER', 6: 'DOCKER-USER' } });
      expect(await firewall.reconcile(jails)).toEqual(nothing);
      for (const family of [4, 6] as const) {
        const chains = await table(variant, family);
        const planned = chainRules(family, jails);
        // The one address that the C library spells in another way than RFC 5952.
        expect(chains.get('DOCK2BAN')!.map((rule) => rule.replace('::1.2.3.4', '::102:304'))).toEqual(
          planned,
        );
        expect(chains.get('INPUT')).toEqual(['-j DOCK2BAN']);
        expect(chains.get('DOCKER-USER')).toEqual(['-j DOCK2BAN', '-j RETURN']);
        expect(chains.get('FORWARD')).toEqual(['-j DOCKER-USER']);
      }
      commands.length = 0;
      expect(await firewall.reconcile(jails)).toEqual(nothing);
      expect(commands.filter(isWrite)).toEqual([]);
      await firewall.close();
    });

    it('leaves no trace after flush', async () => {
      await netns.sh('ipset', 'create', 'somebody-elses', 'hash:net');
      const before = await everything(netns, variant);
      const { firewall } = await openFirewall(netns);
      await firewall.reconcile(jails);
      await firewall.ban([banFor('203.0.113.9', 600, 'all'), banFor('2001:db8::9', 600, 'all')]);
      expect(await everything(netns, variant)).not.toBe(before);
      await firewall.flush();
      expect(await everything(netns, variant)).toBe(before);
      await firewall.close();
    });

    it.each([
      ['iptables -F', [`iptables-${variant}`, '-F']],
      ['iptables -F DOCKER-USER', [`iptables-${variant}`, '-F', 'DOCKER-USER']],
      ['iptables -D INPUT 1', [`iptables-${variant}`, '-D', 'INPUT', '1']],
      [
        'a rule above ours',
        [`iptables-${variant}`, '-I', 'DOCKER-USER', '1', '-s', '10.0.0.0/8', '-j', 'RETURN'],
      ],
      ['ip6tables -F DOCK2BAN', [`ip6tables-${variant}`, '-F', 'DOCK2BAN']],
      ['ipset flush', ['ipset', 'flush', 'dock2ban-4']],
      ['ipset del', ['ipset', 'del', 'dock2ban-4-all', '203.0.113.9']],
      ['ipset add', ['ipset', 'add', 'dock2ban-4-all', '203.0.113.77']],
    ])('repairs after %s', async (_, [command, ...args]) => {
      const { firewall } = await openFirewall(netns);
      await firewall.takeOver(jails.map(({ name }) => name));
      await firewall.reconcile(jails);
      await firewall.ban([banFor('203.0.113.9', undefined, 'all')]);
      const before = await everything(netns, variant);
      await netns.sh(command!, ...args);
      expect(await everything(netns, variant)).not.toBe(before);
      const { repairs, shortfalls } = await firewall.reconcile(jails);
      expect(shortfalls).toEqual([]);
      expect(repairs.length).toBeGreaterThan(0);
      const after = await table(variant, 4);
      expect(after.get('INPUT')![0]).toBe('-j DOCK2BAN');
      const entry = after.get('FORWARD')!.includes('-j DOCKER-USER') ? 'DOCKER-USER' : 'FORWARD';
      expect(after.get(entry)!.filter((rule) => rule === '-j DOCK2BAN')).toHaveLength(1);
      expect(after.get(entry)![0]).toBe('-j DOCK2BAN');
      expect((await netns.sh('ipset', 'save')).match(/^add .*/gm)?.toSorted()).toEqual([
        'add dock2ban-4 203.0.113.9 timeout 0',
        'add dock2ban-4-all 203.0.113.9 timeout 0',
      ]);
      expect(await firewall.reconcile(jails)).toEqual(nothing);
      await firewall.close();
    });
  });

  it('repairs after all rules and sets are gone', async () => {
    await likeDocker(netns, 'nft');
    const { firewall } = await openFirewall(netns);
    await firewall.reconcile(jails);
    await firewall.ban([banFor('203.0.113.9', undefined, 'all')]);
    await netns.sh('nft', 'flush', 'ruleset');
    await netns.sh('ipset', 'destroy');
    expect((await firewall.reconcile(jails)).repairs.map(({ what }) => what)).toEqual(
      expect.arrayContaining(['set', 'chain', 'jump']),
    );
    expect((await table('nft', 4)).get('FORWARD')).toEqual(['-j DOCK2BAN']);
    expect(await netns.sh('ipset', 'save', 'dock2ban-4-all')).toContain(
      'add dock2ban-4-all 203.0.113.9 timeout 0',
    );
    // Docker comes back: the jump moves to where it belongs.
    await likeDocker(netns, 'nft');
    await firewall.reconcile(jails);
    expect((await table('nft', 4)).get('FORWARD')).toEqual(['-j DOCKER-USER']);
    expect((await table('nft', 4)).get('DOCKER-USER')).toEqual(['-j DOCK2BAN', '-j RETURN']);
    await firewall.close();
  });

  it('makes no legacy tables by looking, and moves with Docker from one variant to the other', async () => {
    const legacyTables = (): Promise<string> => netns.sh('cat', '/proc/self/net/ip_tables_names');
    const { firewall } = await openFirewall(netns);
    await firewall.reconcile(jails);
    expect(firewall.info).toMatchObject({ variant: 'nft', entry: { 4: 'FORWARD' } });
    expect(await legacyTables()).toBe('');
    await likeDocker(netns, 'legacy');
    expect((await firewall.reconcile(jails)).shortfalls).toEqual([]);
    expect(firewall.info).toMatchObject({ variant: 'legacy', entry: { 4: 'DOCKER-USER' } });
    expect((await table('nft', 4)).has('DOCK2BAN')).toBe(false);
    expect((await table('nft', 6)).has('DOCK2BAN')).toBe(false);
    expect((await table('legacy', 4)).get('DOCKER-USER')![0]).toBe('-j DOCK2BAN');
    await firewall.close();
  });

  it('says so when native nft rules made the table unreadable, and goes on with the other family', async () => {
    await likeDocker(netns, 'nft');
    const { firewall } = await openFirewall(netns);
    await firewall.reconcile(jails);
    const rule = 'add rule ip filter FORWARD meta l4proto tcp ct original proto-dst 80 drop';
    await netns.sh('nft', rule);
    await netns.sh('ip6tables-nft', '-F', 'INPUT');
    const { repairs, shortfalls } = await firewall.reconcile(jails);
    expect(shortfalls).toMatchObject([
      { family: 4, consequence: 'bans are not enforced over IPv4', error: { code: 'firewall-incompatible' } },
    ]);
    expect(repairs).toMatchObject([{ what: 'jump', family: 6 }]);
    await firewall.close();
  });
});
