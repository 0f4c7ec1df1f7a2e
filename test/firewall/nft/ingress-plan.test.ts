import { describe, expect, it } from 'vitest';
import type { AccessSpec } from '../../../src/config/labels/access-spec.ts';
import type { ClosedPort, DirectPath } from '../../../src/config/jail-spec.ts';
import type { GuardedJail } from '../../../src/firewall/firewall.ts';
import { ingressLayout } from '../../../src/firewall/nft/ingress-plan.ts';
import { elementLines } from '../../../src/firewall/nft/layout.ts';
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

function rules(
  jails: readonly GuardedJail[],
  places: readonly Place[],
  accesses: readonly AccessSpec[] = [],
  devices = ['eth0'],
): Record<string, string[]> {
  const { chains } = ingressLayout(jails, places, accesses, new Set(devices));
  return Object.fromEntries([...chains].map(([name, chain]) => [name, chain.rules.map(({ text }) => text)]));
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

  it('asks once a prefix length whether any jail has banned the source', () => {
    const union = [
      { jail: undefined, family: 4, bits: 32 },
      { jail: undefined, family: 6, bits: 64 },
    ] as const;
    const both = rules([jail('web', [path()])], union);
    expect(both['direct-eth0']).toEqual([
      'ip saddr @dock2ban-4 goto banned-eth0',
      'ip6 saddr & ffff:ffff:ffff:ffff:: @dock2ban-6/64 goto banned-eth0',
    ]);
  });

  it('closes an address to the offenders of its own jails only, by every prefix length', () => {
    const jails = [jail('b', [path()]), jail('a', [path({ addresses: ['192.0.2.201', '2001:db8::c8'] })])];
    const places = [place('a'), place('a', 4, 24), place('a', 6), place('b'), place('b', 6), place('c')];
    expect(rules(jails, places)['banned-eth0']).toEqual([
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
    expect(rules(jails, [place('web')])['banned-eth0']).toEqual(expected.map((text) => base + text));
  });

  it('leaves out interfaces that do not exist, and hangs at those that do', () => {
    const jails = [jail('web', [path(), path({ parent: 'eth1.50' })])];
    const { chains } = ingressLayout(jails, [], [], new Set(['eth1.50', 'lo']));
    expect([...chains.keys()]).toEqual(['banned-eth1.50', 'direct-eth1.50', 'ingress-eth1.50']);
    expect(chains.get('ingress-eth1.50')!.hook).toBe(
      'type filter hook ingress device "eth1.50" priority -5; policy accept;',
    );
  });

  it('puts no more elements into a command than nft takes', () => {
    const many = Array.from({ length: 9000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    const lengths = elementLines('add element', 'x', 'web', many).map(({ rest }) => rest.split(', ').length);
    expect(lengths).toEqual([4000, 4000, 1000]);
    expect(elementLines('add element', 'x', 'web', [])).toEqual([]);
  });
});

const tv: AccessSpec = {
  container: 'tv',
  closes: [],
  direct: [{ parent: 'eth0', addresses: ['192.0.2.200', '2001:db8::c8'], closes: 'all' }],
  allow: ['192.0.2.0/28', '2001:db8::/64'],
  deny: ['192.0.2.7'],
};
const http = { protocol: 'tcp', first: 80, last: 80, hostAddress: undefined } as const;

describe('what labels say, in the table at ingress', () => {
  it('refuses connections, and lets answers through', () => {
    expect(rules([], [], [tv])).toEqual({
      'access-tv': [
        'ip saddr { 192.0.2.7 } meta l4proto { tcp, udp, sctp } counter drop',
        'ip saddr { 192.0.2.0/28 } return',
        'ip6 saddr { 2001:db8::/64 } return',
        'tcp flags & (syn | rst | ack) == syn counter drop',
      ],
      'direct-eth0': ['ip daddr { 192.0.2.200 } jump access-tv', 'ip6 daddr { 2001:db8::c8 } jump access-tv'],
      'ingress-eth0': [
        'ip daddr { 192.0.2.200 } goto direct-eth0',
        'ip6 daddr { 2001:db8::c8 } goto direct-eth0',
      ],
    });
  });

  it('closes named ports to all packets', () => {
    const direct = [
      { ...tv.direct![0]!, closes: [http, { ...http, protocol: 'udp', first: 53, last: 54 } as const] },
    ];
    expect(rules([], [], [{ ...tv, direct, allow: [] }])['access-tv']).toEqual([
      'ip saddr { 192.0.2.7 } tcp dport { 80 } counter drop',
      'ip saddr { 192.0.2.7 } udp dport { 53-54 } counter drop',
      'tcp dport { 80 } counter drop',
      'udp dport { 53-54 } counter drop',
    ]);
  });

  it('comes before bans, and shuts nobody out whom no label does', () => {
    const jails = [jail('web', tv.direct!)];
    const chains = rules(
      jails,
      [{ jail: undefined, family: 4, bits: 32 }, place('web')],
      [{ ...tv, allow: undefined }],
    );
    expect(chains['direct-eth0']).toEqual([
      'ip daddr { 192.0.2.200 } jump access-tv',
      'ip6 daddr { 2001:db8::c8 } jump access-tv',
      'ip saddr @dock2ban-4 goto banned-eth0',
    ]);
    expect(chains['banned-eth0']).toEqual(['ip saddr @dock2ban-4-web ip daddr { 192.0.2.200 } counter drop']);
    expect(chains['access-tv']).toHaveLength(1);
  });

  it('needs the interface', () => {
    expect(rules([], [], [tv], ['eth1'])).toEqual({});
  });
});
