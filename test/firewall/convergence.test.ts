import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { familyOf, type Family } from '../../src/address.ts';
import type { Closes } from '../../src/config/jail-spec.ts';
import { chainRules } from '../../src/firewall/chain-rules.ts';
import { DockerUserFirewall } from '../../src/firewall/docker-user.ts';
import { FirewallError } from '../../src/firewall/errors.ts';
import type { GuardedJail } from '../../src/firewall/firewall.ts';
import { NeverBan } from '../../src/firewall/never-ban.ts';
import { allSet, isOurSet, jailSet } from '../../src/firewall/set-names.ts';
import type { Variant } from '../../src/firewall/tables.ts';
import { SimulatedKernel } from './simulated-kernel.ts';

const jailNames = ['nginx-proxy', 'sshd', 'a jail; whose name is long, and -j ACCEPT'];
const bannable = ['203.0.113.1', '203.0.113.2', '2001:db8::1', '2001:db8:1::2'];
const hidden = ['172.17.0.1', '172.17.0.9', '127.0.0.1', '::1', '198.51.100.1', 'fe80::1'];
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

const jail = fc.constantFrom(...jailNames);
const ip = fc.constantFrom(...bannable, ...hidden);
const family = fc.constantFrom<Family>(4, 6);

type World = Awaited<ReturnType<typeof openWorld>>;
type Step = (world: World) => Promise<void> | void;

type NamedStep = fc.Arbitrary<readonly [name: string, step: Step]>;

const bans: NamedStep[] = [
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

const steps: NamedStep[] = [
  fc
    .array(fc.constantFrom(...closings), { minLength: 0, maxLength: 3 })
    .map((closes) => [
      `jails ${JSON.stringify(closes)}`,
      (world) => void (world.jails = closes.map((each, i) => ({ name: jailNames[i]!, closes: each }))),
    ]),
  fc
    .integer({ min: 1, max: 3_000_000 })
    .map((s) => [`${s} s pass`, (world) => void (world.kernel.now += s * 1000)]),
  fc.constant(['reconcile', (world) => world.reconcile()]),
  fc.integer({ min: 1, max: 3 }).map((n) => [`${n} runs fail`, (world) => void (world.kernel.failures = n)]),
  fc.constant(['the host gains an address', (world) => world.gainAddress('203.0.113.2')]),
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

const step = fc.oneof(
  { weight: 2, arbitrary: fc.oneof(...bans) },
  { weight: 3, arbitrary: fc.oneof(...steps) },
);

describe('any sequence of changes and faults', () => {
  it('ends, after one reconcile, in the state that was asked for, and no never-ban address gets in', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (sequence) => {
        using world = await openWorld();
        for (const [, take] of sequence) {
          await take(world);
          world.expectNoNeverBan();
        }
        world.kernel.failures = 0;
        const foreign = world.foreignRules();
        await world.reconcile();
        world.expectDesired();
        expect(world.foreignRules()).toEqual(foreign);
        const settled = world.kernel.snapshot();
        world.kernel.commands.length = 0;
        expect(await world.firewall.reconcile(world.jails)).toEqual({
          repairs: [],
          shortfalls: [],
          refused: [],
        });
        expect(world.kernel.snapshot()).toEqual(settled);
        expect(world.kernel.commands.filter((command) => /restore/.test(command))).toEqual([]);
        await world.firewall.flush();
        expect(world.kernel.sets.names()).toEqual([]);
        expect(JSON.stringify(world.kernel.snapshot())).not.toMatch(/dock2ban/i);
        expect(world.foreignRules()).toEqual(foreign);
      }),
      { numRuns: 400 },
    );
  }, 60_000);
});

async function openWorld() {
  const kernel = new SimulatedKernel();
  const host = ['198.51.100.1'];
  const own = { gateways: ['172.17.0.1'], dockerSubnets: ['172.17.0.0/16'] };
  let neverBan = new NeverBan({ host, ...own });
  const firewall = new DockerUserFirewall({
    tools: kernel,
    procNet: kernel.procNet,
    now: () => kernel.now,
    neverBan: () => neverBan,
  });
  const wanted = new Map<string, { name: string; ip: string; until: number | undefined }>();
  /** The host gained an address that is banned: until the next reconcile it may still be in the kernel. */
  let purged = true;
  await firewall.open();
  await firewall.takeOver(jailNames);

  const world = {
    kernel,
    firewall,
    jails: [] as readonly GuardedJail[],

    async ban(name: string, address: string, seconds: number | null) {
      const until = seconds === null ? undefined : kernel.now + seconds * 1000;
      if (!neverBan.find(address)) wanted.set(`${name} ${address}`, { name, ip: address, until });
      const refused = await tolerant(firewall.ban([{ jail: name, ip: address, since: kernel.now, until }]));
      if (neverBan.find(address) && refused) expect(refused).toMatchObject([{ jail: name, ip: address }]);
    },

    async unban(name: string, address: string) {
      wanted.delete(`${name} ${address}`);
      await tolerant(firewall.unban([{ jail: name, ip: address }]));
    },

    async reconcile() {
      if ((await firewall.reconcile(world.jails)).shortfalls.length === 0) purged = true;
    },

    gainAddress(address: string) {
      host.push(address);
      neverBan = new NeverBan({ host, ...own });
      purged = false;
      for (const [key, ban] of wanted) if (neverBan.find(ban.ip)) wanted.delete(key);
    },

    /** Docker's jump is in one variant at a time. */
    startDocker(variant: Variant) {
      const other = variant === 'nft' ? 'legacy' : 'nft';
      for (const f of [4, 6] as const) {
        if (!kernel.table(other, f).chains.get('FORWARD')!.includes('-j DOCKER-USER')) continue;
        kernel.table(other, f).restore('*filter\n-D FORWARD -j DOCKER-USER\nCOMMIT\n');
      }
      kernel.startDocker(variant);
    },

    edit(f: Family, chain: string, lines: readonly string[]) {
      const table = kernel.table('nft', f);
      if (table.chains.has(chain)) table.restore(['*filter', ...lines, 'COMMIT', ''].join('\n'));
    },

    foreignRules() {
      return (['nft', 'legacy'] as const).flatMap((variant) =>
        ([4, 6] as const).map((f) =>
          [...kernel.table(variant, f).chains]
            .filter(([chain]) => chain !== 'DOCK2BAN')
            .map(([chain, rules]) => [chain, rules.filter((rule) => !rule.includes('DOCK2BAN'))]),
        ),
      );
    },

    expectNoNeverBan() {
      if (!purged) return;
      for (const set of kernel.sets.names().filter(isOurSet)) {
        for (const member of kernel.sets.members(set).keys()) expect(neverBan.find(member)).toBeUndefined();
      }
    },

    expectDesired() {
      world.expectNoNeverBan();
      const variant =
        (['nft', 'legacy'] as const).find((each) => isLive(kernel, each)) ?? firewall.info!.variant!;
      for (const f of [4, 6] as const) {
        expectTable(kernel, variant, f, chainRules(f, world.jails));
        expect(kernel.table(variant === 'nft' ? 'legacy' : 'nft', f).save()).not.toContain('DOCK2BAN');
        const all = new Map<string, number>();
        for (const name of jailNames) {
          const members = new Map<string, number>();
          for (const ban of wanted.values()) {
            if (ban.name !== name || familyOf(ban.ip) !== f) continue;
            if ((ban.until ?? Infinity) <= kernel.now) continue;
            members.set(ban.ip, ban.until ?? Infinity);
            all.set(ban.ip, Math.max(all.get(ban.ip) ?? 0, ban.until ?? Infinity));
          }
          expectMembers(kernel, jailSet(name, f), members);
        }
        expectMembers(kernel, allSet(f), all);
      }
    },

    [Symbol.dispose]() {
      kernel[Symbol.dispose]();
    },
  };
  return world;
}

/** A kernel that can't be written is reported; anything else is a mistake. */
async function tolerant<Result>(work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    expect(error).toBeInstanceOf(FirewallError);
    return undefined;
  }
}

function isLive(kernel: SimulatedKernel, variant: Variant): boolean {
  return ([4, 6] as const).some((f) =>
    kernel.table(variant, f).chains.get('FORWARD')!.includes('-j DOCKER-USER'),
  );
}

function expectTable(kernel: SimulatedKernel, variant: Variant, f: Family, rules: readonly string[]): void {
  const { chains } = kernel.table(variant, f);
  expect(chains.get('DOCK2BAN')).toEqual(rules);
  const live = chains.get('FORWARD')!.includes('-j DOCKER-USER');
  const entries = ['INPUT', live ? 'DOCKER-USER' : 'FORWARD'];
  const jumping = [...chains].filter(([, each]) => each.includes('-j DOCK2BAN'));
  expect(jumping.map(([chain]) => chain).toSorted()).toEqual(entries.toSorted());
  for (const [, each] of jumping) {
    expect(each[0]).toBe('-j DOCK2BAN');
    expect(each.lastIndexOf('-j DOCK2BAN')).toBe(0);
  }
}

/** Every live ban is there for as long as it lasts, and nothing else but what ends within two seconds. */
function expectMembers(kernel: SimulatedKernel, set: string, wanted: ReadonlyMap<string, number>): void {
  const members = kernel.sets.has(set) ? kernel.sets.members(set) : new Map<string, number>();
  for (const [address, until] of wanted) {
    const end = members.get(address);
    expect(end, `${address} in ${set}`).toBeDefined();
    if (until === Infinity) expect(end).toBe(Infinity);
    // Longer than ipset can count: it is armed again before half of what it was given is over.
    else if (end! < until - 5000) expect(end! - kernel.now).toBeGreaterThanOrEqual(1_073_741_000);
    else expect(end, `end of ${address} in ${set}`).toBeLessThanOrEqual(until + 5000);
  }
  for (const [address, end] of members) {
    if (!wanted.has(address)) expect(end, `${address} in ${set}`).toBeLessThanOrEqual(kernel.now + 2000);
  }
}
