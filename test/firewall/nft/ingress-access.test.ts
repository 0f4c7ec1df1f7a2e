import { describe, expect, it } from 'vitest';
import type { AccessSpec } from '../../../src/config/labels/access-spec.ts';
import { netdevLayout } from '../../../src/firewall/nft/ingress-layout.ts';

const tv: AccessSpec = {
  container: 'tv',
  closes: [],
  direct: [{ parent: 'eth0', addresses: ['192.0.2.200', '2001:db8::c8'], closes: 'all' }],
  allow: ['192.0.2.0/28', '2001:db8::/64'],
  deny: ['192.0.2.7'],
};
const port = { protocol: 'tcp', first: 80, last: 80, hostAddress: undefined } as const;
const jail = { name: 'web', closes: [], blocktype: 'drop', direct: tv.direct! } as const;

function rules(access: readonly AccessSpec[], devices = ['eth0']) {
  const { chains } = netdevLayout([], new Set(devices), [], true, access);
  return Object.fromEntries([...chains].map(([name, chain]) => [name, chain.rules]));
}

describe('what labels say, in the table at ingress', () => {
  it('refuses connections, and lets answers through', () => {
    expect(rules([tv])).toEqual({
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
      { ...tv.direct![0]!, closes: [port, { ...port, protocol: 'udp', first: 53, last: 54 } as const] },
    ];
    expect(rules([{ ...tv, direct, allow: [] }])['access-tv']).toEqual([
      'ip saddr { 192.0.2.7 } tcp dport { 80 } counter drop',
      'ip saddr { 192.0.2.7 } udp dport { 53-54 } counter drop',
      'tcp dport { 80 } counter drop',
      'udp dport { 53-54 } counter drop',
    ]);
  });

  it('comes before bans, and shuts nobody out whom no label does', () => {
    const place = { jail: 'web', family: 4, bits: 32 } as const;
    const denying = { ...tv, allow: undefined };
    const { chains } = netdevLayout([jail], new Set(['eth0']), [place], true, [denying]);
    expect(chains.get('direct-eth0')?.rules).toEqual([
      'ip daddr { 192.0.2.200 } jump access-tv',
      'ip6 daddr { 2001:db8::c8 } jump access-tv',
      'ip saddr @dock2ban-4-web ip daddr { 192.0.2.200 } counter drop',
    ]);
    expect(chains.get('access-tv')?.rules).toHaveLength(1);
  });

  it('needs the interface', () => {
    expect(rules([tv], ['eth1'])).toEqual({});
  });
});
