import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseFirewall } from '../../src/firewall/choose.ts';
import type { Firewall, GuardedJail } from '../../src/firewall/firewall.ts';
import { NeverBan } from '../../src/firewall/bans/never-ban.ts';
import { type Backend, banFor, everything, likeDocker, published, whyNotHere } from './firewall-fixture.ts';
import { Netns } from './netns.ts';

const jails: readonly GuardedJail[] = [
  { name: 'web', closes: [published(8080)], blocktype: 'drop' },
  { name: 'sshd', closes: 'all', blocktype: 'drop' },
];
const names = jails.map(({ name }) => name);
const neverBan = new NeverBan({ host: [], gateways: [], dockerSubnets: [] });

describe.skipIf(whyNotHere())('--firewall changed by hand', () => {
  let netns: Netns;
  beforeEach(async () => {
    netns = await Netns.open();
    await likeDocker(netns, 'nft');
    // iptables makes the chain INPUT when it is first asked for something there.
    for (const program of ['iptables-nft', 'ip6tables-nft']) await netns.sh(program, '-S', 'INPUT');
  });
  afterEach(() => netns.close());

  const choose = (choice: Backend): Firewall =>
    chooseFirewall({
      choice,
      tools: netns.tools,
      procNet: netns.procNet,
      neverBan: () => neverBan,
      engineBackend: () => undefined,
    });

  /** What each backend has in the kernel. */
  const traces = async (): Promise<Record<Backend, string>> => ({
    'docker-user': [
      await netns.sh('ipset', 'save'),
      await netns.sh('iptables-nft-save'),
      await netns.sh('ip6tables-nft-save'),
    ].join('\n'),
    nftables: await netns.sh('nft', '-s', 'list', 'ruleset', 'inet'),
  });

  it.each([
    ['docker-user', 'nftables'],
    ['nftables', 'docker-user'],
  ] as const)('from %s to %s moves the bans and leaves nothing behind', async (from, to) => {
    const before = [await everything(netns, 'nft'), (await traces()).nftables];
    const first = choose(from);
    expect(await first.open()).toMatchObject({ backend: from });
    await first.takeOver(names);
    await first.reconcile(jails);
    await first.ban([
      banFor('203.0.113.9', 600, 'web'),
      banFor('203.0.113.10', undefined, 'sshd'),
      banFor('2001:db8::/64', 600, 'web'),
    ]);
    await first.close();

    const second = choose(to);
    expect(await second.open()).toMatchObject({ backend: to });
    const held = await second.takeOver(names);
    expect([...held].map(([jail, bans]) => [jail, bans.map(({ ip }) => ip).toSorted()])).toEqual([
      ['web', ['2001:db8::/64', '203.0.113.9']],
      ['sshd', ['203.0.113.10']],
    ]);
    expect(held.get('sshd')![0]!.until).toBeUndefined();
    expect((await second.reconcile(jails)).shortfalls).toEqual([]);
    const now = await traces();
    expect(now[from]).not.toMatch(/dock2ban/i);
    for (const address of ['203.0.113.9', '203.0.113.10', '2001:db8::']) expect(now[to]).toContain(address);
    expect(await second.reconcile(jails)).toEqual({ repairs: [], shortfalls: [], refused: [] });
    await second.flush();
    await second.close();
    expect([await everything(netns, 'nft'), (await traces()).nftables]).toEqual(before);
  });
});
