import fc from 'fast-check';
import type { Family } from '../../src/net/address.ts';
import type { AccessSpec } from '../../src/config/labels/access-spec.ts';
import type { Closes } from '../../src/config/jail-spec.ts';
import { allSet, isAccessSet, jailSet } from '../../src/firewall/bans/set-names.ts';
import { prefixCover } from '../../src/net/prefix-cover.ts';
import { jailNames, type World } from './convergence-world.ts';

const bannable = [
  '203.0.113.1',
  '203.0.113.2',
  '203.0.113.0/24',
  '2001:db8::1',
  '2001:db8:1::2',
  '2001:db8::/64',
];
const hidden = ['172.17.0.1', '172.16.0.0/12', '127.0.0.1', '::1', '198.51.100.0/24', 'fe80::1', '0.0.0.0/0'];
const closings: Closes[] = [
  'all',
  [],
  [{ protocol: 'tcp', first: 8080, last: 8080, hostAddress: '0.0.0.0' }],
  [
    { protocol: 'tcp', first: 80, last: 81, hostAddress: undefined },
    { protocol: 'udp', first: 443, last: 443, hostAddress: '192.0.2.7' },
    { protocol: 'tcp', first: 82, last: 90, hostAddress: '::' },
  ],
];

const entries = ['203.0.113.1', '203.0.113.0/24', '2001:db8::/32', '172.17.0.9', '0.0.0.0/0', '::/0'];
const list = fc.uniqueArray(fc.constantFrom(...entries), { maxLength: 3 }).map((some) => prefixCover(some));
const accessOf = (container: string): fc.Arbitrary<AccessSpec> =>
  fc.record({
    container: fc.constant(container),
    closes: fc.constantFrom(...closings.filter((closes) => closes !== 'all')),
    allow: fc.option(list, { nil: undefined }),
    deny: list,
  });

const jail = fc.constantFrom(...jailNames);
const ip = fc.constantFrom(...bannable, ...hidden);
const family = fc.constantFrom<Family>(4, 6);

type Step = (world: World) => Promise<void> | void;

export type NamedStep = fc.Arbitrary<readonly [name: string, step: Step]>;

export const bans: NamedStep[] = [
  fc
    .tuple(jail, ip, fc.option(fc.integer({ min: 1, max: 4_000_000 })))
    .map(([name, address, seconds]) => [
      `ban ${address} in '${name}' for ${seconds ?? 'ever'}`,
      (world) => world.ban(name, address, seconds),
    ]),
  fc
    .tuple(jail, ip)
    .map(([name, address]) => [`unban ${address} in '${name}'`, (world) => world.unban(name, address)]),
];

export const changes: NamedStep[] = [
  fc.array(fc.constantFrom(...closings), { minLength: 0, maxLength: 3 }).map((closes) => [
    `jails ${JSON.stringify(closes)}`,
    (world) =>
      void (world.jails = closes.map((each, i) => ({
        name: jailNames[i]!,
        closes: each,
        blocktype: i === 1 ? 'reject' : 'drop',
      }))),
  ]),
  fc
    .tuple(accessOf('web'), accessOf('a name; that nobody -j ACCEPT can give'))
    .chain((both) => fc.subarray(both))
    .map((access) => [`access ${JSON.stringify(access)}`, (world) => void (world.access = access)]),
  fc
    .integer({ min: 1, max: 3_000_000 })
    .map((s) => [`${s} s pass`, (world) => void (world.kernel.now += s * 1000)]),
  fc.constant(['reconcile', (world) => world.reconcile()]),
  fc.integer({ min: 1, max: 3 }).map((n) => [`${n} runs fail`, (world) => void (world.kernel.failures = n)]),
  fc.constant(['the host gains an address', (world) => world.gainAddress('203.0.113.2')]),
];

/** Bans that come while a reconcile is under way. */
export const overlaps: NamedStep[] = [
  fc
    .tuple(fc.array(fc.oneof(...bans), { minLength: 1, maxLength: 5 }), fc.nat(60))
    .map(([several, ticks]) => [
      `${ticks} ticks into a reconcile: ${several.map(([name]) => name).join(', ')}`,
      async (world) => {
        world.isOverlapping = true;
        const reconciled = world.reconcile();
        for (let i = 0; i < ticks; i += 1) await Promise.resolve();
        await Promise.all([reconciled, ...several.map(([, take]) => take(world))]);
        world.isOverlapping = false;
      },
    ]),
];

export const dockerUserFaults: NamedStep[] = [
  fc.constant(['Docker starts (nft)', (world) => world.startDocker('nft')]),
  fc.constant(['Docker starts (legacy)', (world) => world.startDocker('legacy')]),
  family.map((f) => [`nft flush ruleset ${f}`, ({ kernel }) => kernel.table('nft', f).wipe()]),
  fc
    .tuple(family, fc.constantFrom('DOCK2BAN', 'INPUT', 'FORWARD', 'DOCKER-USER'))
    .map(([f, chain]) => [`iptables -F ${chain} (${f})`, (world) => world.edit(f, chain, [`-F ${chain}`])]),
  fc
    .tuple(family, fc.constantFrom('INPUT', 'FORWARD', 'DOCKER-USER', 'DOCK2BAN'))
    .map(([f, chain]) => [
      `foreign rule above ours in ${chain} (${f})`,
      (world) => world.edit(f, chain, [`-I ${chain} 1 -s 10.0.0.0/8 -j RETURN`]),
    ]),
  family.map((f) => [`second jump (${f})`, (world) => world.edit(f, 'DOCK2BAN', ['-A INPUT -j DOCK2BAN'])]),
  fc.tuple(jail, family).map(([name, f]) => [
    `ipset flush ${jailSet(name, f)}`,
    ({ kernel }) => {
      if (kernel.sets.has(jailSet(name, f))) kernel.sets.members(jailSet(name, f)).clear();
    },
  ]),
  fc.tuple(fc.nat(20), fc.constantFrom('flush', 'del', 'add')).map(([which, verb]) => [
    `ipset ${verb} of access set ${which}`,
    ({ kernel }) => {
      const sets = kernel.sets.names().filter(isAccessSet);
      const set = sets[which % sets.length];
      if (set === undefined) return;
      const members = kernel.sets.members(set);
      if (verb === 'flush') members.clear();
      else if (verb === 'del') members.delete([...members.keys()][0] ?? '');
      else
        for (let i = 0; i < 10; i += 1)
          members.set(set.includes('-a4-') ? `192.0.2.${i}` : `2001:db8:77::${i}`, Infinity);
    },
  ]),
  // More than could be missing at the same time: equal numbers are not noticed.
  fc.tuple(fc.constantFrom(...jailNames, undefined), fc.boolean()).map(([name, forEver]) => [
    `ipset add of strangers in '${name ?? 'all'}'`,
    ({ kernel }) => {
      const set = name === undefined ? allSet(4) : jailSet(name, 4);
      if (!kernel.sets.has(set)) return;
      for (let i = 0; i < 10; i += 1) {
        kernel.sets.restore(`add ${set} 192.0.2.${i + 1} timeout ${forEver ? 0 : 3600}\n`);
      }
    },
  ]),
  fc.constant([
    'rules and sets destroyed',
    ({ kernel }) => {
      for (const variant of ['nft', 'legacy'] as const)
        for (const f of [4, 6] as const) kernel.table(variant, f).wipe();
      for (const set of kernel.sets.names()) kernel.sets.restore(`destroy ${set}\n`);
    },
  ]),
];

/** What somebody may do with nft. What the kernel refuses is not done. */
const nftScripts = fc.oneof(
  fc.constantFrom(
    'delete table inet dock2ban',
    'add table inet dock2ban { flags dormant; }',
    'insert rule inet dock2ban input accept',
    'add rule inet dock2ban guard accept',
    'add chain inet dock2ban mine',
    'add set inet dock2ban mine { type ipv4_addr; flags timeout; }',
    'flush chain inet dock2ban forward\ndelete chain inet dock2ban forward\nadd chain inet dock2ban forward { type filter hook forward priority 300; policy accept; }',
  ),
  fc
    .constantFrom('input', 'forward', 'guard', 'banned', 'jail-sshd', 'access', 'access-web')
    .map((chain) => `flush chain inet dock2ban ${chain}`),
  fc
    .tuple(
      fc.constantFrom(allSet(4), jailSet('sshd', 4), `${allSet(6)}/64`),
      fc.constantFrom('guard', 'banned'),
    )
    .map(([set, chain]) =>
      [
        `flush chain inet dock2ban ${chain}`,
        `delete set inet dock2ban ${set}`,
        `add set inet dock2ban ${set} { type ipv4_addr; flags timeout; size 1; }`,
      ].join('\n'),
    ),
  fc
    .tuple(fc.constantFrom(...jailNames, undefined), family, fc.constantFrom('', '/24', '/64'))
    .map(
      ([name, f, bits]) =>
        `flush set inet dock2ban ${name === undefined ? allSet(f) : jailSet(name, f)}${bits}`,
    ),
  fc
    .tuple(
      fc.constantFrom(...jailNames, undefined),
      fc.constantFrom('203.0.113.1', '192.0.2.1'),
      fc.constantFrom('add', 'delete'),
    )
    .map(
      ([name, address, verb]) =>
        `${verb} element inet dock2ban ${name === undefined ? allSet(4) : jailSet(name, 4)} { ${address} }`,
    ),
);

export const nftablesFaults: NamedStep[] = [
  fc.constant(['nft flush ruleset', ({ kernel }) => kernel.nft.wipe()]),
  nftScripts.map((script) => [script, (world) => world.nft(script)]),
];

export const engineChanges: NamedStep[] = [
  fc
    .constantFrom('iptables', 'nftables', undefined)
    .map((engine) => [
      `the engine says ${engine}`,
      ({ kernel }) => void (kernel.engine = engine ?? kernel.engine),
    ]),
];
