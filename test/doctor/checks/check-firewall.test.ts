import { describe, expect, it } from 'vitest';
import { checkFirewall } from '../../../src/doctor/checks/check-firewall.ts';
import { parseCountedTable, type TableReading } from '../../../src/doctor/rules/counted-table.ts';
import type { EngineFacts } from '../../../src/doctor/facts/engine-facts.ts';
import { isInTheWay } from '../../../src/doctor/finding.ts';
import { standingsIn, type FirewallFacts, type NftFacts } from '../../../src/doctor/facts/firewall-facts.ts';
import { emptyListing, flowtablesIn, parseListing } from '../../../src/firewall/nft/listing.ts';
import { blockingNftRule, blockingRule } from '../../../src/doctor/proofs/trial-ban.ts';
import { FirewallError } from '../../../src/firewall/tool/errors.ts';

const table = (...rules: string[]): TableReading => {
  const jumpsTo = rules.flatMap((rule) => /-j (DOCKER-USER)/.exec(rule)?.[1] ?? []);
  const chains = new Set([...rules.map((rule) => rule.split(' ')[0]), 'INPUT', 'FORWARD', ...jumpsTo]);
  return parseCountedTable(
    [
      '*filter',
      ...[...chains].map((chain) => `:${chain} - [0:0]`),
      ...rules.map((rule) => `[0:0] -A ${rule}`),
    ].join('\n'),
  );
};

const docker = ['FORWARD -j DOCKER-USER', 'DOCKER -j RETURN'];
const ours = ['DOCKER-USER -j DOCK2BAN', 'INPUT -j DOCK2BAN', 'DOCK2BAN -j RETURN'];

const emptyTable = parseCountedTable('');

function nft(...objects: unknown[]): NftFacts {
  const text = JSON.stringify({ nftables: [{ metainfo: {} }, ...objects] });
  const inet = parseListing(text, 'inet dock2ban');
  return {
    inet,
    ingress: emptyListing('netdev dock2ban'),
    meter: emptyListing('inet meter'),
    visitors: emptyListing('inet visitors'),
    flowtables: flowtablesIn(text),
  };
}

const own = { family: 'inet', table: 'dock2ban' };
const nftTable = (goto = 'guard', flags?: unknown) =>
  nft(
    { table: { family: 'inet', name: 'dock2ban', ...(flags === undefined ? {} : { flags }) } },
    { chain: { ...own, name: 'input', hook: 'input', prio: -5 } },
    { chain: { ...own, name: 'forward', hook: 'forward', prio: -5 } },
    { chain: { ...own, name: 'guard' } },
    { rule: { ...own, chain: 'input', expr: [{ goto: { target: 'guard' } }] } },
    { rule: { ...own, chain: 'forward', expr: [{ goto: { target: goto } }] } },
    {
      rule: {
        ...own,
        chain: 'guard',
        expr: [{ match: { op: '==', left: {}, right: '@dock2ban-4' } }, { goto: { target: 'x' } }],
      },
    },
  );

/** What stands in the way. @param four IPv4's tables: nft, legacy */
function obstacles(
  four: readonly [TableReading, TableReading],
  more: Partial<FirewallFacts> & { engine?: string; backend?: string } = {},
): string[] {
  const { engine = 'iptables', backend = 'docker-user', ...facts } = more;
  const firewall: FirewallFacts = {
    families: [4],
    tables: new Map([
      ['nft', new Map([[4, four[0]]])],
      ['legacy', new Map([[4, four[1]]])],
    ]),
    nft: nft(),
    sets: [],
    userlandProxy: true,
    ...facts,
  };
  const status = {
    version: '1',
    docker: { connected: true },
    firewall: { backend, healthy: true },
    jails: [],
  };
  const found = checkFirewall({
    facts: firewall,
    standings: standingsIn(firewall),
    engine: { firewallBackend: engine } as EngineFacts,
    controller: { status },
  }).filter(isInTheWay);
  return found.map(({ severity, what }) => `${severity}: ${what}`);
}

describe('checkFirewall', () => {
  it('has nothing to say where all is well', () => {
    expect(obstacles([table(...docker, ...ours), emptyTable])).toEqual([]);
    expect(obstacles([emptyTable, table(...docker, ...ours)])).toEqual([]);
    expect(
      obstacles([emptyTable, emptyTable], { engine: 'nftables', nft: nftTable(), backend: 'nftables' }),
    ).toEqual([]);
    expect(
      obstacles([table(...docker), emptyTable], { backend: 'none' }),
      'a dry run writes nothing',
    ).toEqual([]);
  });

  it.each([
    [
      '--iptables=false',
      table('INPUT -j DOCK2BAN', 'FORWARD -j DOCK2BAN'),
      /^error: IPv4: Docker has no chains/,
    ],
    [
      'a jump that somebody removed',
      table('DOCKER -j RETURN', ...ours),
      /^error: IPv4: FORWARD has no jump to DOCKER-USER/,
    ],
    [
      'a missing jump to ours',
      table(...docker, 'INPUT -j DOCK2BAN', 'DOCK2BAN -j RETURN'),
      /the jump from DOCKER-USER to DOCK2BAN is missing/,
    ],
    [
      'a rule above ours',
      table(...docker, 'INPUT -j DROP', ...ours),
      /the jump from INPUT to DOCK2BAN is not the first rule/,
    ],
    ['nothing of ours', table(...docker), /^error: none of dock2ban's rules is in the kernel/],
  ])('tells of %s', (_, four, text) => {
    expect(obstacles([four, emptyTable])).toContainEqual(expect.stringMatching(text));
  });

  it('tells of ours in the other variant than Docker, and of both in use', () => {
    expect(
      obstacles([table('INPUT -j DOCK2BAN', 'FORWARD -j DOCK2BAN', 'DOCK2BAN -j RETURN'), table(...docker)]),
    ).toEqual([
      "warning: iptables-nft and iptables-legacy both hold rules (Docker's jump is in iptables-legacy)",
      "error: dock2ban's rules are in iptables-nft, Docker's jump to DOCKER-USER is in iptables-legacy",
    ]);
  });

  it('tells of iptables rules beside an engine with nftables', () => {
    expect(obstacles([table(...docker, ...ours), emptyTable], { engine: 'nftables' })).toEqual([
      expect.stringMatching(/^error: Docker makes its rules with nftables/),
    ]);
  });

  it('tells of a table of nft that is broken', () => {
    const with_ = (listing: FirewallFacts['nft']) =>
      obstacles([emptyTable, emptyTable], { engine: 'nftables', backend: 'nftables', nft: listing });
    expect(with_(nftTable('elsewhere'))).toEqual([
      'error: the table inet dock2ban has rules that are not reached from forward',
    ]);
    expect(with_(nftTable('guard', ['dormant']))).toEqual(['error: the table inet dock2ban is dormant']);
    expect(with_(nftTable('guard', 'dormant'))).toEqual(['error: the table inet dock2ban is dormant']);
  });

  it('tells of flowtables, and of what the tools say', () => {
    const flowtable = nft({ flowtable: { family: 'inet', table: 'fw', name: 'fast' } });
    expect(obstacles([table(...docker, ...ours), emptyTable], { nft: flowtable })).toEqual([
      'warning: nftables has a flowtable: inet fw fast',
    ]);
    const denied = new FirewallError('firewall-permission', 'iptables-nft-save: Permission denied');
    expect(obstacles([denied, emptyTable], { sets: denied })).toContain(
      "error: the rules of iptables-nft for IPv4 can't be read: iptables-nft-save: Permission denied",
    );
    const missing = new FirewallError('firewall-missing-binary', 'iptables-legacy is not installed');
    expect(obstacles([table(...docker, ...ours), missing]), 'one variant is enough').toEqual([]);
    expect(
      obstacles([missing, missing], {
        engine: 'nftables',
        backend: 'nftables',
        nft: nftTable(),
        sets: missing,
      }),
      'nft needs none',
    ).toEqual([]);
  });
});

describe('rules for a trial', () => {
  it.each([
    ['-p tcp -m conntrack --ctorigdstport 8080 -m set --match-set dock2ban-4-web src -j DROP', 8080],
    ['-p tcp -m conntrack --ctorigdstport 8080:8090 -m set --match-set dock2ban-4-web src -j DROP', 8080],
    ['-m set --match-set dock2ban-4-web src -j DROP', 9],
    ['-p tcp -m set --match-set dock2ban-4-web src -j REJECT --reject-with tcp-reset', 9],
  ])('%s', (rule, port) => {
    expect(blockingRule(parseCountedTable(''), rule)).toEqual({
      jail: 'web',
      port,
      sets: ['dock2ban-4-web', 'dock2ban-4'],
      packets: 0,
    });
  });

  it.each([
    '-m set ! --match-set dock2ban-4 src -j RETURN',
    '-p udp -m conntrack --ctorigdstport 53 -m set --match-set dock2ban-4-web src -j DROP',
    '-p tcp -m conntrack --ctorigdst 192.0.2.7 --ctorigdstport 53 -m set --match-set dock2ban-4-web src -j DROP',
  ])('not %s', (rule) => {
    expect(blockingRule(parseCountedTable(''), rule)).toBeUndefined();
  });

  it('of nft: the first over TCP, for any host address, of a jail with a set of addresses', () => {
    const lookup = (set: string, to: string) => ({
      rule: {
        ...own,
        chain: 'banned',
        expr: [{ match: { op: '==', left: {}, right: `@${set}` } }, { jump: { target: to } }],
      },
    });
    const drop = (chain: string, protocol: string, port: unknown, ...more: unknown[]) => ({
      rule: {
        ...own,
        chain,
        expr: [
          { match: { op: '==', left: { meta: { key: 'l4proto' } }, right: protocol } },
          ...more,
          { match: { op: '==', left: { ct: { key: 'proto-dst', dir: 'original' } }, right: port } },
          { counter: { packets: 4, bytes: 1 } },
          { drop: null },
        ],
      },
    });
    const start = [
      { table: { family: 'inet', name: 'dock2ban' } },
      ...['banned', 'jail-web', 'jail-dns'].map((name) => ({ chain: { ...own, name } })),
      lookup('dock2ban-4', 'banned'),
    ];
    const one = {
      match: { op: '==', left: { ct: { key: 'ip daddr', dir: 'original' } }, right: '192.0.2.7' },
    };
    const found = (...objects: unknown[]) => blockingNftRule(nft(...objects).inet);
    expect(
      found(...start, lookup('dock2ban-4-dns', 'jail-dns'), drop('jail-dns', 'udp', 53)),
    ).toBeUndefined();
    expect(
      found(...start, lookup('dock2ban-4-web/24', 'jail-web'), drop('jail-web', 'tcp', 80)),
    ).toBeUndefined();
    expect(
      found(...start, lookup('dock2ban-4-web', 'jail-web'), drop('jail-web', 'tcp', 80, one)),
    ).toBeUndefined();
    expect(
      found(...start, lookup('dock2ban-4-web', 'jail-web'), drop('jail-web', 'tcp', { range: [80, 90] })),
    ).toEqual({
      jail: 'web',
      port: 80,
      sets: ['dock2ban-4-web', 'dock2ban-4'],
      packets: 4,
    });
  });
});
