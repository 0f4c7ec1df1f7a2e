import { describe, expect, it } from 'vitest';
import type { ClosedPort, DirectPath } from '../../../src/config/jail-spec.ts';
import type { GuardedJail } from '../../../src/firewall/firewall.ts';
import { netdevElements, netdevLayout, netdevLines } from '../../../src/firewall/nft/ingress-layout.ts';
import type { Place } from '../../../src/firewall/nft/names.ts';

const port = (protocol: ClosedPort['protocol'], first: number, last = first): ClosedPort => ({
  protocol,
  first,
  last,
  hostAddress: undefined,
});
const path = (more: Partial<DirectPath> = {}): DirectPath => ({
  parent: 'eth0',
  addresses: ['192.0.2.200'],
  closes: 'all',
  ...more,
});
const jail = (name: string, direct: readonly DirectPath[], more: Partial<GuardedJail> = {}): GuardedJail => ({
  name,
  closes: [],
  blocktype: 'drop',
  direct,
  ...more,
});
const place = (name: string, family: 4 | 6 = 4, bits = family === 4 ? 32 : 64): Place => ({
  jail: name,
  family,
  bits,
});

function rules(jails: GuardedJail[], places: Place[], devices = ['eth0'], canReject = true) {
  const { chains } = netdevLayout(jails, new Set(devices), places, canReject);
  return Object.fromEntries([...chains].map(([name, chain]) => [name, chain.rules]));
}

describe('the table at ingress', () => {
  it('asks for a container there first, so that other packets pay for one lookup', () => {
    const addresses = ['192.0.2.201', '2001:db8::c8', '192.0.2.200'];
    const jails = [jail('web', [path({ addresses }), path({ addresses: ['192.0.2.200'] })])];
    expect(rules(jails, [place('web')])['ingress-eth0']).toEqual([
      'ip daddr { 192.0.2.200, 192.0.2.201 } goto direct-eth0',
      'ip6 daddr { 2001:db8::c8 } goto direct-eth0',
    ]);
  });

  it('closes an address to the offenders of its own jails only, by every prefix length', () => {
    const jails = [jail('b', [path()]), jail('a', [path({ addresses: ['192.0.2.201', '2001:db8::c8'] })])];
    const places = [place('a'), place('a', 4, 24), place('a', 6), place('b'), place('b', 6), place('c')];
    expect(rules(jails, places)['direct-eth0']).toEqual([
      'ip saddr @dock2ban-4-a ip daddr { 192.0.2.201 } counter drop',
      'ip saddr & 255.255.255.0 @dock2ban-4-a/24 ip daddr { 192.0.2.201 } counter drop',
      'ip6 saddr & ffff:ffff:ffff:ffff:: @dock2ban-6-a/64 ip6 daddr { 2001:db8::c8 } counter drop',
      'ip saddr @dock2ban-4-b ip daddr { 192.0.2.200 } counter drop',
    ]);
  });

  it.each([
    ['drop', 'all', ['counter drop']],
    [
      'drop',
      [port('tcp', 80), port('tcp', 90, 99), port('udp', 53)],
      ['tcp dport { 80, 90-99 } counter drop', 'udp dport { 53 } counter drop'],
    ],
    [
      'reject',
      'all',
      ['meta l4proto tcp counter reject with tcp reset', 'counter reject with icmpx port-unreachable'],
    ],
    [
      'reject',
      [port('tcp', 80), port('udp', 53)],
      [
        'tcp dport { 80 } counter reject with tcp reset',
        'udp dport { 53 } counter reject with icmpx port-unreachable',
      ],
    ],
    ['drop', [], []],
  ] as const)('blocks by %s, %j', (blocktype, closes, expected) => {
    const base = 'ip saddr @dock2ban-4-web ip daddr { 192.0.2.200 } ';
    const jails = [jail('web', [path({ closes })], { blocktype })];
    expect(rules(jails, [place('web')])['direct-eth0']).toEqual(expected.map((text) => base + text));
  });

  it('drops where the kernel cannot refuse', () => {
    const jails = [jail('web', [path()], { blocktype: 'reject' })];
    expect(rules(jails, [place('web')], ['eth0'], false)['direct-eth0']).toEqual([
      'ip saddr @dock2ban-4-web ip daddr { 192.0.2.200 } counter drop',
    ]);
  });

  it('leaves out interfaces that do not exist, and hangs at those that do', () => {
    const jails = [jail('web', [path(), path({ parent: 'eth1.50' })])];
    const { chains } = netdevLayout(jails, new Set(['eth1.50', 'lo']), [], true);
    expect([...chains.keys()]).toEqual(['direct-eth1.50', 'ingress-eth1.50']);
    expect(chains.get('ingress-eth1.50')!.hook).toBe(
      'type filter hook ingress device "eth1.50" priority -5; policy accept;',
    );
  });

  it('is made anew as a whole, and nothing but it is touched', () => {
    const jails = [jail('web', [path()])];
    const lines = netdevLines(netdevLayout(jails, new Set(['eth0']), [place('web')], true));
    expect(lines.slice(0, 3)).toEqual([
      'add table netdev dock2ban',
      'delete table netdev dock2ban',
      'add table netdev dock2ban',
    ]);
    expect(lines.every((line) => / netdev dock2ban( |$)/.test(line))).toBe(true);
  });

  it('puts no more elements into a command than nft takes', () => {
    const many = Array.from({ length: 9000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    const lengths = netdevElements('add', 'x', many).map((line) => line.split(', ').length);
    expect(lengths).toEqual([4000, 4000, 1000]);
    expect(netdevElements('add', 'x', [])).toEqual([]);
  });
});
