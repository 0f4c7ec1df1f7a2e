import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseFirewall } from '../../src/firewall/choose.ts';
import type { GuardedJail } from '../../src/firewall/firewall.ts';
import { NeverBan } from '../../src/firewall/bans/never-ban.ts';
import { banFor, everything, likeDocker, openFirewall, published, whyNotHere } from './firewall-fixture.ts';
import { Netns } from './netns.ts';

const jails: GuardedJail[] = [
  { name: 'all', closes: 'all', blocktype: 'drop' },
  {
    name: 'a-jail-with-quite-a-long-name',
    closes: [
      published(8080),
      published(8090, 8099),
      published(443, 443, { protocol: 'udp' }),
      published(5000, 5001, { protocol: 'sctp' }),
      published(53, 53, { protocol: 'udp', hostAddress: '192.0.2.7' }),
      published(53, 60, { protocol: 'udp', hostAddress: '2001:db8::7' }),
    ],
    blocktype: 'drop',
  },
  { name: 'nothing', closes: [], blocktype: 'drop' },
  { name: 'reject-all', closes: 'all', blocktype: 'reject' },
  {
    name: 'reject-some',
    closes: [published(81), published(54, 54, { protocol: 'udp' }), published(9, 9, { protocol: 'sctp' })],
    blocktype: 'reject',
  },
];
const nothing = { repairs: [], shortfalls: [], refused: [] };

let netns: Netns;

/** Everything that nft knows, without handles and counters. */
async function ruleset(): Promise<string> {
  return (await netns.sh('nft', '-s', 'list', 'ruleset')).replaceAll(/ expires \w+/g, '');
}

describe.skipIf(whyNotHere())('rules of nftables in the kernel', () => {
  beforeEach(async () => {
    netns = await Netns.open();
    await likeDocker(netns, 'nft');
    await netns.feed(
      'add table inet somebody-elses\nadd chain inet somebody-elses input { type filter hook input priority 0; policy accept; }\nadd rule inet somebody-elses input ip saddr 10.0.0.1 drop\n',
      'nft',
      '-f',
      '-',
    );
  });
  afterEach(() => netns.close());

  it('finds what it wrote, and has nothing more to write', async () => {
    const { firewall, commands } = await openFirewall(netns, 'nftables');
    expect(firewall.info).toMatchObject({
      backend: 'nftables',
      variant: undefined,
      entry: { 4: 'forward', 6: 'forward' },
    });
    expect(await firewall.reconcile(jails)).toEqual(nothing);
    commands.length = 0;
    expect(await firewall.reconcile(jails)).toEqual(nothing);
    expect(commands.filter((command) => command.includes('-f'))).toEqual([]);
    await firewall.close();
  });

  it('leaves everything as it was after flush', async () => {
    const before = await ruleset();
    const { firewall } = await openFirewall(netns, 'nftables');
    await firewall.reconcile(jails);
    await firewall.ban([banFor('203.0.113.9', 600, 'all'), banFor('2001:db8::/64', 600, 'all')]);
    expect(await ruleset()).not.toBe(before);
    await firewall.flush();
    expect(await ruleset()).toBe(before);
    await firewall.close();
  });

  it.each([
    'flush ruleset',
    'delete table inet dock2ban',
    'add table inet dock2ban { flags dormant; }',
    'flush chain inet dock2ban input',
    'flush chain inet dock2ban banned',
    'insert rule inet dock2ban guard accept',
    'add chain inet dock2ban mine { type filter hook input priority 1; policy drop; }',
    'flush chain inet dock2ban input\ndelete chain inet dock2ban input\nadd chain inet dock2ban input { type filter hook input priority 7; policy accept; }',
    'flush set inet dock2ban dock2ban-4',
    'delete element inet dock2ban dock2ban-4-all { 203.0.113.9 }',
    'add element inet dock2ban dock2ban-4-all { 203.0.113.77 }',
  ])('repairs after %s', async (script) => {
    const { firewall } = await openFirewall(netns, 'nftables');
    await firewall.takeOver(jails.map(({ name }) => name));
    await firewall.reconcile(jails);
    await firewall.ban([banFor('203.0.113.9', undefined, 'all'), banFor('203.0.113.0/24', undefined, 'all')]);
    const own = (): Promise<string> => netns.sh('nft', '-s', 'list', 'table', 'inet', 'dock2ban');
    const before = (await own()).split('\n').toSorted();
    await netns.feed(`${script}\n`, 'nft', '-f', '-');
    const { repairs, shortfalls } = await firewall.reconcile(jails);
    expect(shortfalls).toEqual([]);
    expect(repairs).toHaveLength(1);
    expect((await own()).split('\n').toSorted()).toEqual(before);
    expect(await firewall.reconcile(jails)).toEqual(nothing);
    await firewall.close();
  });

  it('moves with Docker from iptables to nftables and back, and leaves nothing behind', async () => {
    const lines = async (): Promise<string[]> => {
      const inet = await netns.sh('nft', '-s', 'list', 'ruleset', 'inet');
      return `${await everything(netns, 'nft')}\n${inet}`.split('\n').toSorted();
    };
    // iptables makes the chain INPUT when it is first asked for something there.
    for (const program of ['iptables-nft', 'ip6tables-nft']) await netns.sh(program, '-S', 'INPUT');
    const before = await lines();
    let engine: string | undefined = 'iptables';
    const firewall = chooseFirewall({
      choice: 'auto',
      tools: netns.tools,
      procNet: netns.procNet,
      neverBan: () => new NeverBan({ host: [], gateways: [], dockerSubnets: [] }),
      engineBackend: () => engine,
    });
    expect(await firewall.open()).toMatchObject({ backend: 'docker-user', variant: 'nft' });
    await firewall.takeOver(['all']);
    expect(await firewall.reconcile(jails)).toEqual(nothing);
    await firewall.ban([banFor('203.0.113.9', 600, 'all'), banFor('2001:db8::/64', undefined, 'all')]);
    const withIptables = await lines();
    engine = 'nftables';
    expect(await firewall.reconcile(jails)).toEqual(nothing);
    expect(firewall.info!.backend).toBe('nftables');
    expect(await netns.sh('ipset', 'save')).toBe('');
    expect(await netns.sh('iptables-nft-save')).not.toContain('DOCK2BAN');
    expect(await netns.sh('nft', 'list', 'table', 'inet', 'dock2ban')).toContain('2001:db8::');
    engine = 'iptables';
    expect(await firewall.reconcile(jails)).toEqual(nothing);
    const withoutChance = (all: string[]): string[] =>
      all.map((line) => line.replaceAll(/ timeout \d+| initval \w+/g, ''));
    expect(withoutChance(await lines())).toEqual(withoutChance(withIptables));
    expect(await netns.sh('ipset', 'save')).toContain('2001:db8::/64');
    await firewall.flush();
    await firewall.close();
    expect(await lines()).toEqual(before);
  });
});
