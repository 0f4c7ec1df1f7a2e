import { describe, expect, it } from 'vitest';
import type { BlockType, ClosedPort, Closes } from '../../../src/config/jail-spec.ts';
import { chainRules } from '../../../src/firewall/iptables/chain-rules.ts';

const port = (first: number, last = first, more: Partial<ClosedPort> = {}): ClosedPort => ({
  protocol: 'tcp',
  first,
  last,
  hostAddress: undefined,
  ...more,
});

/** A jail's rules, without what precedes and follows in each. */
function matches(closes: Closes, family: 4 | 6 = 4): string[] {
  const end = `-m set --match-set dock2ban-${family}-web src -j DROP`;
  return chainRules(family, [{ name: 'web', closes, blocktype: 'drop' }])
    .slice(2)
    .map((rule) => {
      expect(rule.endsWith(end)).toBe(true);
      return rule.slice(0, -end.length).trim();
    });
}

describe('chainRules', () => {
  it('lets everyone pass whom no jail has banned, then answers, before any jail', () => {
    expect(chainRules(6, [])).toEqual([
      '-m set ! --match-set dock2ban-6 src -j RETURN',
      '-m conntrack --ctdir REPLY -j RETURN',
    ]);
  });

  it('closes everything without a condition', () => {
    expect(matches('all')).toEqual(['']);
  });

  it('closes nothing for a jail that publishes nothing', () => {
    expect(matches([])).toEqual([]);
  });

  it.each<[string, ClosedPort[], string[]]>([
    ['one port', [port(8080)], ['-p tcp -m conntrack --ctorigdstport 8080']],
    ['contiguous ports', [port(82), port(80), port(81)], ['-p tcp -m conntrack --ctorigdstport 80:82']],
    [
      'overlapping ranges',
      [port(80, 90), port(85, 87), port(91)],
      ['-p tcp -m conntrack --ctorigdstport 80:91'],
    ],
    [
      'a gap',
      [port(80), port(82)],
      ['-p tcp -m conntrack --ctorigdstport 80', '-p tcp -m conntrack --ctorigdstport 82'],
    ],
    [
      'protocols apart',
      [port(443), port(443, 443, { protocol: 'udp' }), port(444, 444, { protocol: 'sctp' })],
      [
        '-p sctp -m conntrack --ctorigdstport 444',
        '-p tcp -m conntrack --ctorigdstport 443',
        '-p udp -m conntrack --ctorigdstport 443',
      ],
    ],
    [
      'all addresses of either family',
      [port(80, 80, { hostAddress: '0.0.0.0' }), port(80, 80, { hostAddress: '::' }), port(81)],
      ['-p tcp -m conntrack --ctorigdstport 80:81'],
    ],
    [
      'one host address, not merged with the others',
      [port(80, 80, { hostAddress: '192.0.2.7' }), port(81)],
      [
        '-p tcp -m conntrack --ctorigdstport 81',
        '-p tcp -m conntrack --ctorigdst 192.0.2.7 --ctorigdstport 80',
      ],
    ],
    ['a host address of the other family', [port(80, 80, { hostAddress: '2001:db8::7' })], []],
  ])('%s', (_, closes, expected) => {
    expect(matches(closes)).toEqual(expected);
  });

  it('restricts to an IPv6 host address in its canonical spelling, and closes IPv4 wildcards over IPv6 too', () => {
    const closes = [port(80, 80, { hostAddress: '2001:DB8:0::7' }), port(81, 81, { hostAddress: '0.0.0.0' })];
    expect(matches(closes, 6)).toEqual([
      '-p tcp -m conntrack --ctorigdstport 81',
      '-p tcp -m conntrack --ctorigdst 2001:db8::7 --ctorigdstport 80',
    ]);
  });

  it.each<[4 | 6, Closes, string[]]>([
    [
      4,
      'all',
      ['-p tcp SET -j REJECT --reject-with tcp-reset', 'SET -j REJECT --reject-with icmp-port-unreachable'],
    ],
    [
      6,
      'all',
      ['-p tcp SET -j REJECT --reject-with tcp-reset', 'SET -j REJECT --reject-with icmp6-port-unreachable'],
    ],
    [
      6,
      [port(80), port(53, 53, { protocol: 'udp' })],
      [
        '-p tcp -m conntrack --ctorigdstport 80 SET -j REJECT --reject-with tcp-reset',
        '-p udp -m conntrack --ctorigdstport 53 SET -j REJECT --reject-with icmp6-port-unreachable',
      ],
    ],
  ])('rejects over IPv%i %j', (family, closes, expected) => {
    const blocktype: BlockType = 'reject';
    const rules = chainRules(family, [{ name: 'web', closes, blocktype }]).slice(2);
    expect(rules.map((rule) => rule.replace(`-m set --match-set dock2ban-${family}-web src`, 'SET'))).toEqual(
      expected,
    );
  });

  it('does not depend on the order of jails', () => {
    const jails = [
      { name: 'b', closes: 'all' as const, blocktype: 'drop' as const },
      { name: 'a', closes: [port(80)], blocktype: 'reject' as const },
    ];
    expect(chainRules(4, jails)).toEqual(chainRules(4, jails.toReversed()));
  });
});
