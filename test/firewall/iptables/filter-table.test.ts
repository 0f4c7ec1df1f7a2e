import { describe, expect, it } from 'vitest';
import {
  compareTable,
  hasLiveJump,
  parseTable,
  removalScript,
  restoreScript,
  type FilterTable,
} from '../../../src/firewall/iptables/filter-table.ts';

const rules = ['-m set ! --match-set dock2ban-4 src -j RETURN'];

function table(chains: Record<string, string[]>): FilterTable {
  return new Map(Object.entries({ INPUT: [], FORWARD: [], OUTPUT: [], ...chains }));
}

function script(chains: Record<string, string[]>): string[] | undefined {
  const from = table(chains);
  return restoreScript(from, rules, compareTable(from, rules))
    ?.split('\n')
    .filter((line) => !['*filter', 'COMMIT', ''].includes(line));
}

const docker = { FORWARD: ['-j DOCKER-USER'], 'DOCKER-USER': ['-j DOCK2BAN', '-j RETURN'] };
const chain = [':DOCK2BAN - [0:0]', `-A DOCK2BAN ${rules[0]}`];

describe('parseTable', () => {
  it('reads chains and rules, in order', () => {
    const text =
      '# Generated\n*filter\n:INPUT ACCEPT [12:3]\n:MY-CHAIN - [0:0]\n-A INPUT -j MY-CHAIN\n' +
      '-A INPUT -m comment --comment "-A x" -j ACCEPT\nCOMMIT\n# Warning: iptables-legacy tables present\n';
    expect([...parseTable(text)]).toEqual([
      ['INPUT', ['-j MY-CHAIN', '-m comment --comment "-A x" -j ACCEPT']],
      ['MY-CHAIN', []],
    ]);
  });

  it('reports a table that iptables cannot read instead of taking it for empty', () => {
    expect(() => parseTable("# Table `filter' is incompatible, use 'nft' tool.\n")).toThrow(
      expect.objectContaining({ code: 'firewall-incompatible' }),
    );
  });
});

describe('hasLiveJump', () => {
  it.each([
    ['a jump', docker, true],
    ['a leftover chain without a jump', { 'DOCKER-USER': ['-j RETURN'] }, false],
    ['a jump for some packets only', { FORWARD: ['-i eth0 -j DOCKER-USER'], 'DOCKER-USER': [] }, false],
    ['nothing', {}, false],
  ])('%s', (_, chains, live) => {
    expect(hasLiveJump(table(chains))).toBe(live);
  });
});

describe('rules in front of the jump to DOCKER-USER', () => {
  it.each([
    ['accept', '-j ACCEPT'],
    ['go to a chain that may accept', '-i tailscale0 -j ts-forward'],
    ['leave the rest to the policy', '-s 192.0.2.0/24 -j RETURN'],
  ])('that %s get ours in front of them', (_, rule) => {
    const user = { 'DOCKER-USER': ['-j DOCK2BAN', '-j RETURN'], INPUT: ['-j DOCK2BAN'], DOCK2BAN: rules };
    const jump = '-I FORWARD 1 -j DOCK2BAN';
    expect(script({ ...user, FORWARD: [rule, '-j DOCKER-USER'] })).toEqual([jump]);
    expect(script({ ...user, FORWARD: [rule, '-j DOCK2BAN', '-j DOCKER-USER'] })).toEqual([
      '-D FORWARD -j DOCK2BAN',
      jump,
    ]);
    expect(script({ ...user, FORWARD: ['-j DOCK2BAN', rule, '-j DOCKER-USER'] })).toBeUndefined();
    expect(script({ ...user, FORWARD: ['-j DOCK2BAN', '-j DOCKER-USER', rule] })).toEqual([
      '-D FORWARD -j DOCK2BAN',
    ]);
  });

  it.each(['-s 192.0.2.66/32 -j DROP', '-m limit --limit 1/sec -j LOG --log-prefix x', '-p tcp'])(
    'that let nothing pass are left alone: %s',
    (rule) => {
      const chains = { 'DOCKER-USER': ['-j DOCK2BAN'], INPUT: ['-j DOCK2BAN'], DOCK2BAN: rules };
      expect(script({ ...chains, FORWARD: [rule, '-j DOCKER-USER'] })).toBeUndefined();
    },
  );
});

describe('restoreScript', () => {
  it('is empty if nothing differs', () => {
    expect(script({ ...docker, INPUT: ['-j DOCK2BAN'], DOCK2BAN: rules })).toBeUndefined();
  });

  it('declares the chain, its rules and jumps at once', () => {
    expect(script({ ...docker, 'DOCKER-USER': ['-j RETURN'] })).toEqual([
      ...chain,
      '-I INPUT 1 -j DOCK2BAN',
      '-I DOCKER-USER 1 -j DOCK2BAN',
    ]);
  });

  it('leaves the jumps alone if only the rules differ', () => {
    expect(script({ ...docker, INPUT: ['-j DOCK2BAN'], DOCK2BAN: [...rules, '-j DROP'] })).toEqual(chain);
  });

  it('moves a jump that is not first, and makes one of several', () => {
    const input = ['-j ACCEPT', '-j DOCK2BAN', '-j DOCK2BAN'];
    expect(script({ ...docker, INPUT: input, DOCK2BAN: rules })).toEqual([
      '-D INPUT -j DOCK2BAN',
      '-D INPUT -j DOCK2BAN',
      '-I INPUT 1 -j DOCK2BAN',
    ]);
  });

  it('enters from FORWARD where Docker has no DOCKER-USER', () => {
    expect(script({ FORWARD: ['-j ACCEPT'], INPUT: ['-j DOCK2BAN'], DOCK2BAN: rules })).toEqual([
      '-I FORWARD 1 -j DOCK2BAN',
    ]);
  });

  it('replaces the jump from FORWARD when DOCKER-USER appears', () => {
    const chains = { FORWARD: ['-j DOCK2BAN', '-j DOCKER-USER'], 'DOCKER-USER': ['-j RETURN'] };
    expect(script({ ...chains, INPUT: ['-j DOCK2BAN'], DOCK2BAN: rules })).toEqual([
      '-D FORWARD -j DOCK2BAN',
      '-I DOCKER-USER 1 -j DOCK2BAN',
    ]);
  });

  it("goes above ufw-docker's block and touches none of it", () => {
    const block = ['-s 10.0.0.0/8 -j RETURN', '-j ufw-user-forward'];
    const chains = { ...docker, 'DOCKER-USER': block, INPUT: ['-j DOCK2BAN'], DOCK2BAN: rules };
    expect(script(chains)).toEqual(['-I DOCKER-USER 1 -j DOCK2BAN']);
  });
});

describe('removalScript', () => {
  it('removes every jump and the chain', () => {
    const lines = removalScript(
      table({ ...docker, INPUT: ['-j DOCK2BAN'], mine: ['-j DOCK2BAN'], DOCK2BAN: rules }),
    );
    expect(lines?.split('\n')).toEqual([
      '*filter',
      ':DOCK2BAN - [0:0]',
      '-D INPUT -j DOCK2BAN',
      '-D DOCKER-USER -j DOCK2BAN',
      '-D mine -j DOCK2BAN',
      '-X DOCK2BAN',
      'COMMIT',
      '',
    ]);
  });

  it('does nothing where nothing is', () => {
    expect(removalScript(table({ FORWARD: ['-j DOCKER-USER'] }))).toBeUndefined();
  });
});
