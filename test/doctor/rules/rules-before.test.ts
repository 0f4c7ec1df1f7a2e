import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCountedTable } from '../../../src/doctor/rules/counted-table.ts';
import { ruleWords } from '../../../src/doctor/rules/rule-words.ts';
import { packetsAcross, rulesBefore } from '../../../src/doctor/rules/rules-before.ts';

const table = (...rules: string[]) =>
  parseCountedTable(
    [
      '*filter',
      ...['INPUT', 'FORWARD'].map((chain) => `:${chain} ACCEPT [0:0]`),
      ...['DOCKER-USER', 'DOCK2BAN', 'ts-forward', 'log-only', 'loop'].map((chain) => `:${chain} - [0:0]`),
      ...rules,
      'COMMIT',
      '',
    ].join('\n'),
  );

const forward = ['[9:900] -A FORWARD -j DOCKER-USER', '[7:700] -A DOCKER-USER -j DOCK2BAN'];

describe('rulesBefore', () => {
  it.each([
    ['nothing before ours', [...forward, '[1:1] -A FORWARD -j ACCEPT'], []],
    [
      'an accept before Docker',
      ['[5:5] -A FORWARD -j ACCEPT', ...forward],
      [
        {
          chain: 'FORWARD',
          rule: '-j ACCEPT',
          packets: 5,
          isFinal: true,
          isUnconditional: true,
          before: 'DOCKER-USER',
        },
      ],
    ],
    [
      "ufw-docker's return, before ours",
      [
        '[9:9] -A FORWARD -j DOCKER-USER',
        '[3:3] -A DOCKER-USER -s 10.0.0.0/8 -j RETURN',
        '[0:0] -A DOCKER-USER -j DOCK2BAN',
      ],
      [
        {
          chain: 'DOCKER-USER',
          rule: '-s 10.0.0.0/8 -j RETURN',
          packets: 3,
          isUnconditional: false,
          before: 'DOCK2BAN',
        },
      ],
    ],
    [
      "tailscale's chain, which accepts some",
      ['[8:8] -A FORWARD -j ts-forward', '[0:0] -A ts-forward -o tailscale0 -j ACCEPT', ...forward],
      [{ rule: '-j ts-forward', packets: 8, isFinal: false, isUnconditional: false }],
    ],
    [
      'a goto, from which nothing comes back',
      ['[1:1] -A FORWARD -i eth9 -g log-only', ...forward],
      [{ rule: '-i eth9 -g log-only' }],
    ],
    [
      'a queue, whose program decides',
      ['[1:1] -A FORWARD -j NFQUEUE --queue-num 1', ...forward],
      [{ rule: '-j NFQUEUE --queue-num 1' }],
    ],
    [
      'rules that end nothing, or drop',
      [
        '[1:1] -A FORWARD -j LOG --log-prefix "-j ACCEPT "',
        '[1:1] -A FORWARD -s 192.0.2.1/32 -m comment --comment "no \\"-j ACCEPT\\"" -j DROP',
        '[1:1] -A FORWARD -m comment --comment counts',
        '[1:1] -A FORWARD -j log-only',
        '[1:1] -A log-only -j LOG',
        '[1:1] -A log-only -j RETURN',
        '[1:1] -A FORWARD -j loop',
        '[1:1] -A loop -j loop',
        ...forward,
      ],
      [],
    ],
  ])('finds %s', (_, rules, expected) => {
    expect(rulesBefore(table(...rules), 'FORWARD')).toEqual(
      expected.map((each) => expect.objectContaining(each) as unknown),
    );
  });

  it('knows when a way does not lead to ours', () => {
    expect(rulesBefore(table('[1:1] -A FORWARD -j DOCKER-USER'), 'FORWARD')).toBeUndefined();
    expect(packetsAcross(table('[1:1] -A FORWARD -j DOCKER-USER'), 'FORWARD')).toBeUndefined();
    expect(rulesBefore(table(), 'INPUT')).toBeUndefined();
  });

  it('counts what crosses: at the jump from DOCKER-USER, or from FORWARD where Docker has none', () => {
    expect(packetsAcross(table(...forward), 'FORWARD')).toBe(7);
    expect(
      packetsAcross(table('[4:4] -A FORWARD -j DOCK2BAN', '[2:2] -A INPUT -j DOCK2BAN'), 'FORWARD'),
    ).toBe(4);
    expect(
      packetsAcross(table('[2:2] -A INPUT -s 1.2.3.4/32 -j DROP', '[3:3] -A INPUT -j DOCK2BAN'), 'INPUT'),
    ).toBe(3);
  });
});

describe('ruleWords', () => {
  it('finds the target, whatever a comment says', () => {
    const words = fc.string({ unit: fc.constantFrom('a', ' ', '-', 'j', 'A', '"', '\\', '\n', 'é') });
    fc.assert(
      fc.property(words, (comment) => {
        const quoted = `"${comment.replaceAll(/[\\"]/g, '\\$&')}"`;
        const rule = `-s 192.0.2.0/24 -m comment --comment ${quoted} -j ACCEPT`;
        expect(ruleWords(rule)).toEqual({
          target: 'ACCEPT',
          isGoto: false,
          conditions: ['-s', '192.0.2.0/24'],
        });
      }),
    );
  });
});
