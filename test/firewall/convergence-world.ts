import { expect } from 'vitest';
import { familyOf, type Family } from '../../src/net/address.ts';
import type { AccessSpec } from '../../src/config/labels/access-spec.ts';
import { accessRules } from '../../src/firewall/access/access-rules.ts';
import { FirewallError } from '../../src/firewall/tool/errors.ts';
import type { GuardedJail } from '../../src/firewall/firewall.ts';
import { NeverBan } from '../../src/firewall/bans/never-ban.ts';
import type { Variant } from '../../src/firewall/iptables/tool.ts';
import type { Ends, Enforcement } from './enforcements.ts';
import { SimulatedKernel } from './simulated-kernel.ts';

export const jailNames = ['nginx-proxy', 'sshd', 'a jail; whose name is long, and -j ACCEPT'];

export type World = Awaited<ReturnType<typeof openWorld>>;

/** A kernel with a firewall, and what was asked of it. */
export async function openWorld(enforcement: Enforcement) {
  const kernel = new SimulatedKernel();
  const host = ['198.51.100.1'];
  const own = { gateways: ['172.17.0.1'], dockerSubnets: ['172.17.0.0/16'] };
  let neverBan = new NeverBan({ host, ...own });
  const firewall = enforcement.create(kernel, () => neverBan);
  const wanted = new Map<string, { name: string; ip: string; until: number | undefined }>();
  /** The host gained an address that is banned: until the next reconcile it may still be in the kernel. */
  let purged = true;
  kernel.nft.script('add table inet foreign\n');
  await firewall.open();
  await firewall.takeOver(jailNames);

  const world = {
    kernel,
    firewall,
    jails: [] as readonly GuardedJail[],
    access: [] as readonly AccessSpec[],
    isOverlapping: false,

    async ban(name: string, address: string, seconds: number | null) {
      const until = seconds === null ? undefined : kernel.now + seconds * 1000;
      if (!neverBan.find(address)) wanted.set(`${name} ${address}`, { name, ip: address, until });
      const refused = await tolerant(firewall.ban([{ jail: name, ip: address, since: kernel.now, until }]));
      // Of several requests at the same time the last counts, which may be an unban.
      if (!neverBan.find(address) || !refused || world.isOverlapping) return;
      expect(refused).toMatchObject([{ jail: name, ip: address }]);
    },

    async unban(name: string, address: string) {
      wanted.delete(`${name} ${address}`);
      await tolerant(firewall.unban([{ jail: name, ip: address }]));
    },

    async reconcile() {
      if ((await firewall.reconcile(world.jails, world.access)).shortfalls.length === 0) purged = true;
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

    /** What somebody does to our table with nft. What the kernel refuses is not done. */
    nft(script: string) {
      if (!kernel.nft.tables().includes('inet dock2ban')) return;
      try {
        kernel.nft.script(script);
      } catch (error) {
        expect(error).toBeInstanceOf(FirewallError);
      }
    },

    foreignRules() {
      const tables = (['nft', 'legacy'] as const).flatMap((variant) =>
        ([4, 6] as const).map((f) =>
          [...kernel.table(variant, f).chains]
            .filter(([chain]) => chain !== 'DOCK2BAN')
            .map(([chain, rules]) => [chain, rules.filter((rule) => !rule.includes('DOCK2BAN'))]),
        ),
      );
      return [...tables, ...kernel.nft.tables().filter((table) => table !== 'inet dock2ban')];
    },

    expectNoNeverBan() {
      if (!purged) return;
      for (const member of enforcement.everyMember(kernel)) expect(neverBan.find(member)).toBeUndefined();
    },

    expectDesired() {
      world.expectNoNeverBan();
      const banned = new Map<string, Map<string, number>>(jailNames.map((name) => [name, new Map()]));
      const all = new Map<string, number>();
      for (const { name, ip: address, until = Infinity } of wanted.values()) {
        if (until <= kernel.now) continue;
        banned.get(name)!.set(address, until);
        all.set(address, Math.max(all.get(address) ?? 0, until));
      }
      enforcement.expectRules(kernel, firewall, world.jails, banned, accessRules(world.access, neverBan));
      for (const f of [4, 6] as const) {
        const ofFamily = (ends: Ends): Ends => new Map([...ends].filter(([each]) => familyOf(each) === f));
        for (const [name, ends] of banned) {
          expectMembers(enforcement.members(kernel, name, f), ofFamily(ends), kernel.now);
        }
        expectMembers(enforcement.members(kernel, undefined, f), ofFamily(all), kernel.now);
      }
    },

    [Symbol.dispose]() {
      kernel.written = undefined;
      kernel[Symbol.dispose]();
    },
  };
  kernel.written = () => world.expectNoNeverBan();
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

/** Every live ban is there for as long as it lasts, and nothing else but what ends within two seconds. */
function expectMembers(members: Ends, wanted: Ends, now: number): void {
  for (const [address, until] of wanted) {
    const end = members.get(address);
    expect(end, address).toBeDefined();
    if (until === Infinity) expect(end).toBe(Infinity);
    // Longer than ipset can count: it is armed again before half of what it was given is over.
    else if (end! < until - 5000) expect(end! - now).toBeGreaterThanOrEqual(1_073_741_000);
    else expect(end, `end of ${address}`).toBeLessThanOrEqual(until + 5000);
  }
  for (const [address, end] of members) {
    if (!wanted.has(address)) expect(end, address).toBeLessThanOrEqual(now + 2000);
  }
}
