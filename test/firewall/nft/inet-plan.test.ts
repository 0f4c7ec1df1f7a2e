import { describe, expect, it } from 'vitest';
import type { BlockType, ClosedPort, Closes } from '../../../src/config/jail-spec.ts';
import { inetLayout } from '../../../src/firewall/nft/inet-plan.ts';
import { layoutLines } from '../../../src/firewall/nft/layout.ts';

const port = (first: number, last = first, more: Partial<ClosedPort> = {}): ClosedPort => ({
  protocol: 'tcp',
  first,
  last,
  hostAddress: undefined,
  ...more,
});

function rules(closes: Closes, blocktype: BlockType = 'drop'): string[] {
  const { chains } = inetLayout([{ name: 'web', closes, blocktype }], []);
  return chains.get('jail-web')!.rules.map(({ text }) => text);
}

describe('what a jail closes', () => {
  it.each<[Closes, string[]]>([
    ['all', ['counter drop']],
    [[], []],
    [
      [port(8080), port(8081, 8090), port(53, 53, { protocol: 'udp' }), port(9, 9, { protocol: 'sctp' })],
      [
        'meta l4proto sctp ct original proto-dst 9 counter drop',
        'meta l4proto tcp ct original proto-dst 8080-8090 counter drop',
        'meta l4proto udp ct original proto-dst 53 counter drop',
      ],
    ],
    [
      [
        port(80, 80, { hostAddress: '192.0.2.7' }),
        port(81, 81, { hostAddress: '2001:DB8::7' }),
        port(82, 82, { hostAddress: '0.0.0.0' }),
        port(83, 83, { hostAddress: '::' }),
      ],
      [
        'meta l4proto tcp ct original proto-dst 82-83 counter drop',
        'meta l4proto tcp ct original ip daddr 192.0.2.7 ct original proto-dst 80 counter drop',
        'meta l4proto tcp ct original ip6 daddr 2001:db8::7 ct original proto-dst 81 counter drop',
      ],
    ],
  ])('%j', (closes, expected) => {
    expect(rules(closes)).toEqual(expected);
  });

  it('is refused by a reset over TCP, and as unreachable over all else', () => {
    expect(rules('all', 'reject')).toEqual([
      'meta l4proto tcp counter reject with tcp reset',
      'counter reject with icmpx port-unreachable',
    ]);
    expect(rules([port(80), port(53, 53, { protocol: 'udp' })], 'reject')).toEqual([
      'meta l4proto tcp ct original proto-dst 80 counter reject with tcp reset',
      'meta l4proto udp ct original proto-dst 53 counter reject with icmpx port-unreachable',
    ]);
  });
});

describe('inetLayout', () => {
  const jails = [
    { name: 'b', closes: 'all' as const, blocktype: 'drop' as const },
    { name: 'a', closes: [port(80)], blocktype: 'drop' as const },
  ];
  const places = [
    { jail: 'a', family: 6, bits: 64 },
    { jail: undefined, family: 6, bits: 64 },
    { jail: undefined, family: 6, bits: 33 },
    { jail: undefined, family: 4, bits: 32 },
    { jail: 'a', family: 4, bits: 32 },
    { jail: 'gone', family: 4, bits: 32 },
  ] as const;

  it('looks a source up once a prefix length, and lets answers pass before any jail is asked', () => {
    const { chains } = inetLayout(jails, places);
    const texts = (name: string): string[] => chains.get(name)!.rules.map(({ text }) => text);
    expect(texts('input')).toEqual(['goto guard']);
    expect(texts('forward')).toEqual(['goto guard']);
    expect(texts('guard')).toEqual([
      'ip saddr @dock2ban-4 goto banned',
      'ip6 saddr & ffff:ffff:8000:: @dock2ban-6/33 goto banned',
      'ip6 saddr & ffff:ffff:ffff:ffff:: @dock2ban-6/64 goto banned',
    ]);
    expect(texts('banned')).toEqual([
      'ct direction reply return',
      'ip saddr @dock2ban-4-a jump jail-a',
      'ip6 saddr & ffff:ffff:ffff:ffff:: @dock2ban-6-a/64 jump jail-a',
    ]);
  });

  it('is the same in whatever order it was asked for', () => {
    expect(layoutLines(inetLayout(jails.toReversed(), places.toReversed()))).toEqual(
      layoutLines(inetLayout(jails, places)),
    );
  });

  it('makes what a line refers to before it, and puts no hostile name into a command', () => {
    const name = 'web; flush ruleset\n{ }';
    const own = { jail: name, family: 4, bits: 32 } as const;
    const lines = layoutLines(inetLayout([{ name, closes: 'all', blocktype: 'drop' }], [own]));
    const made = new Set<string>();
    for (const { verb, rest } of lines) {
      const text = `${verb} ${rest}`;
      expect(text).toMatch(/^(?:add|flush) (?:table|set|chain|rule) [\w ./@&:;{},-]*$/);
      expect(text).not.toContain('ruleset');
      const [, what] = /^add (?:set|chain) (\S+)/.exec(text) ?? [];
      if (what !== undefined) made.add(what);
      for (const [, used] of text.matchAll(/(?:@|goto |jump )(\S+)/g)) expect(made).toContain(used);
    }
    expect([...made].filter((each) => each.includes('web'))).toHaveLength(2);
  });
});
