import { expect } from 'vitest';
import type { Family } from '../../src/net/address.ts';
import { accessChainRules, accessSets, type AccessRules } from '../../src/firewall/access/access-rules.ts';
import { chainRules } from '../../src/firewall/iptables/chain-rules.ts';
import { chooseFirewall } from '../../src/firewall/choose.ts';
import { DockerUserFirewall } from '../../src/firewall/iptables/docker-user.ts';
import type { BanFirewall, GuardedJail } from '../../src/firewall/firewall.ts';
import type { NeverBan } from '../../src/firewall/bans/never-ban.ts';
import { inetLayout } from '../../src/firewall/nft/inet-plan.ts';
import { elementOf, placeFinder, prefixText, setOf } from '../../src/firewall/nft/names.ts';
import { NftablesFirewall } from '../../src/firewall/nft/nftables.ts';
import { allSet, isAccessSet, isOurSet, jailSet } from '../../src/firewall/bans/set-names.ts';
import type { Variant } from '../../src/firewall/iptables/tool.ts';
import type { SimulatedKernel } from './simulated-kernel.ts';

/** Address or prefix → epoch milliseconds at which it ends; Infinity: never. */
export type Ends = ReadonlyMap<string, number>;

/** How a backend's work shows in a simulated kernel. */
export interface Enforcement {
  readonly name: string;
  create(kernel: SimulatedKernel, neverBan: () => NeverBan): BanFirewall;
  /** What the kernel holds for a jail; undefined: for all. */
  members(kernel: SimulatedKernel, jail: string | undefined, family: Family): Ends;
  /** Everything that any set of ours holds in which banned addresses are. */
  everyMember(kernel: SimulatedKernel): string[];
  /** @param banned what is banned, by jail */
  expectRules(
    kernel: SimulatedKernel,
    firewall: BanFirewall,
    jails: readonly GuardedJail[],
    banned: ReadonlyMap<string, Ends>,
    access: AccessRules,
  ): void;
  /** Whether a command line changes anything. */
  isWrite(command: string): boolean;
}

const families = [4, 6] as const;

export const dockerUser: Enforcement = {
  name: 'docker-user',

  create: (kernel, neverBan) =>
    new DockerUserFirewall({ tools: kernel, procNet: kernel.procNet, now: () => kernel.now, neverBan }),

  members(kernel, jail, family) {
    const set = jail === undefined ? allSet(family) : jailSet(jail, family);
    return kernel.sets.has(set) ? kernel.sets.members(set) : new Map();
  },

  everyMember: (kernel) =>
    kernel.sets
      .names()
      .filter((set) => isOurSet(set) && !isAccessSet(set))
      .flatMap((set) => [...kernel.sets.members(set).keys()]),

  expectRules(kernel, firewall, jails, _banned, access) {
    const variant =
      (['nft', 'legacy'] as const).find((each) => isLive(kernel, each)) ?? firewall.info!.variant!;
    for (const family of families) {
      const rules = [...accessChainRules(family, access, () => true), ...chainRules(family, jails)];
      expectTable(kernel, variant, family, rules);
      expect(kernel.table(variant === 'nft' ? 'legacy' : 'nft', family).save()).not.toContain('DOCK2BAN');
    }
    const held = kernel.sets.names().filter(isAccessSet);
    expect(new Map(held.map((set) => [set, new Set(kernel.sets.members(set).keys())]))).toEqual(
      new Map(Array.from(accessSets(families, access), ([set, { members }]) => [set, new Set(members)])),
    );
  },

  isWrite: (command) => /restore/.test(command),
};

export const nftables: Enforcement = {
  name: 'nftables',

  create: (kernel, neverBan) => new NftablesFirewall({ tools: kernel, now: () => kernel.now, neverBan }),

  members(kernel, jail, family) {
    const find = placeFinder([jail]);
    return new Map(
      kernel.nft.sets().flatMap((set) => {
        const place = find(set);
        if (place?.family !== family) return [];
        return Array.from(kernel.nft.elements(set), ([address, end]) => [prefixText(address, place), end]);
      }),
    );
  },

  everyMember(kernel) {
    return ourNftSets(kernel).flatMap((set) => {
      const [, bits] = set.split('/');
      const place = (address: string) =>
        bits === undefined ? elementOf(address) : { ...elementOf(address), bits: Number(bits) };
      return [...kernel.nft.elements(set).keys()].map((address) => prefixText(address, place(address)));
    });
  },

  expectRules(kernel, _firewall, jails, banned, access) {
    const usual = [undefined, ...jails.map(({ name }) => name)].flatMap((jail) => [
      { jail, family: 4 as const, bits: 32 },
      { jail, family: 6 as const, bits: 64 },
    ]);
    const used = [...banned].flatMap(([jail, ends]) =>
      [...ends.keys()].flatMap((ip) => [
        { ...elementOf(ip), jail },
        { ...elementOf(ip), jail: undefined },
      ]),
    );
    const { sets, chains } = inetLayout(
      jails,
      new Map([...usual, ...used].map((p) => [setOf(p), p])).values(),
      access,
    );
    expect(ourNftSets(kernel).toSorted()).toEqual([...sets.keys()].toSorted());
    expect(kernel.nft.chains()).toEqual(
      new Map(
        Array.from(chains, ([name, { hook, rules }]) => [
          name,
          [...(hook === undefined ? [] : [hook]), ...rules.map(({ text }) => text)],
        ]),
      ),
    );
    expect(kernel.nft.isAwake()).toBe(true);
  },

  isWrite: (command) => /^nft (?:(?:-c )?-f -|-i)$/.test(command),
};

export const auto: Enforcement = {
  name: 'auto',

  create: (kernel, neverBan) =>
    chooseFirewall({
      choice: 'auto',
      tools: kernel,
      procNet: kernel.procNet,
      now: () => kernel.now,
      neverBan,
      engineBackend: () => kernel.engine,
    }),

  /** One of them holds nothing at all: expectRules sees to that. */
  members: (kernel, jail, family) =>
    new Map([...dockerUser.members(kernel, jail, family), ...nftables.members(kernel, jail, family)]),

  everyMember: (kernel) => [...dockerUser.everyMember(kernel), ...nftables.everyMember(kernel)],

  expectRules(kernel, firewall, jails, banned, access) {
    const { backend } = firewall.info!;
    if (kernel.engine === 'nftables') expect(backend).toBe('nftables');
    else if (isLive(kernel, 'nft') || isLive(kernel, 'legacy')) expect(backend).toBe('docker-user');
    (backend === 'nftables' ? nftables : dockerUser).expectRules(kernel, firewall, jails, banned, access);
    if (backend === 'docker-user') expect(kernel.nft.tables()).not.toContain('inet dock2ban');
    else {
      expect(kernel.sets.names()).toEqual([]);
      for (const variant of ['nft', 'legacy'] as const) {
        for (const family of families) expect(kernel.table(variant, family).save()).not.toContain('DOCK2BAN');
      }
    }
  },

  isWrite: (command) => dockerUser.isWrite(command) || nftables.isWrite(command),
};

/** Somebody may put sets of their own into our table. */
function ourNftSets(kernel: SimulatedKernel): string[] {
  return kernel.nft.sets().filter((set) => set.startsWith('dock2ban-'));
}

function isLive(kernel: SimulatedKernel, variant: Variant): boolean {
  return families.some((f) => kernel.table(variant, f).chains.get('FORWARD')!.includes('-j DOCKER-USER'));
}

function expectTable(kernel: SimulatedKernel, variant: Variant, f: Family, rules: readonly string[]): void {
  const { chains } = kernel.table(variant, f);
  expect(chains.get('DOCK2BAN')).toEqual(rules);
  const forward = chains.get('FORWARD')!.filter((rule) => rule !== '-j DOCK2BAN');
  const live = forward.includes('-j DOCKER-USER');
  // What stands before Docker's jump might accept.
  const bypassed = live && forward[0] !== '-j DOCKER-USER';
  const entries = ['INPUT', ...(live ? ['DOCKER-USER'] : []), ...(!live || bypassed ? ['FORWARD'] : [])];
  const jumping = [...chains].filter(([, each]) => each.includes('-j DOCK2BAN'));
  expect(jumping.map(([chain]) => chain).toSorted()).toEqual(entries.toSorted());
  for (const [, each] of jumping) {
    expect(each[0]).toBe('-j DOCK2BAN');
    expect(each.lastIndexOf('-j DOCK2BAN')).toBe(0);
  }
}
