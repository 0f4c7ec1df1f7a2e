import type { Family } from '../../net/address.ts';
import { FirewallError } from '../../firewall/tool/errors.ts';
import type { Tools } from '../../firewall/tool/exec.ts';
import { hasLiveJump, hasTraces } from '../../firewall/iptables/filter-table.ts';
import { ownTable } from '../../firewall/nft/names.ts';
import { isOurSet } from '../../firewall/bans/set-names.ts';
import { Tables, variants, type Variant } from '../../firewall/iptables/tables.ts';
import {
  hasLegacyTable,
  readCountedTable,
  type CountedTable,
  type TableReading,
} from '../rules/counted-table.ts';
import { parseNftRuleset, type NftRuleset, type NftTable } from '../rules/nft-ruleset.ts';

/** What the kernel's packet filters hold. */
export interface FirewallFacts {
  /** IPv6 can be off in the kernel. */
  readonly families: readonly Family[];
  readonly tables: ReadonlyMap<Variant, ReadonlyMap<Family, TableReading>>;
  /** The tables of family inet, and all flowtables. */
  readonly nft: NftRuleset | FirewallError;
  /** The ipsets that are ours. */
  readonly sets: readonly string[] | FirewallError;
  /** Whether docker-proxy serves what iptables doesn't; undefined: it can't be told from the rules. */
  readonly userlandProxy: boolean | undefined;
}

/** Where rules of ours stand. */
export type Standing =
  | {
      readonly backend: 'docker-user';
      readonly variant: Variant;
      /** Those that could be read. */
      readonly tables: ReadonlyMap<Family, CountedTable>;
    }
  | { readonly backend: 'nftables'; readonly table: NftTable };

/** Looks at the packet filters, and changes nothing. Without elements of sets, however many there are. */
export async function readFirewall(tools: Tools, procNet: string): Promise<FirewallFacts> {
  const families = await new Tables(tools, procNet).families();
  const tables = new Map<Variant, ReadonlyMap<Family, TableReading>>();
  for (const variant of variants) {
    const readings = await Promise.all(
      families.map(
        async (family) => [family, await readCountedTable(tools, procNet, variant, family)] as const,
      ),
    );
    tables.set(variant, new Map(readings));
  }
  return {
    families,
    tables,
    nft: await orError(() => readNft(tools)),
    sets: await orError(async () => {
      const { stdout } = await tools.run('ipset', ['list', '-n']);
      return stdout.split('\n').filter(isOurSet);
    }),
    userlandProxy: await readUserlandProxy(tools, procNet, tables),
  };
}

/** Without docker-proxy, Docker's DNAT serves loopback, too (moby daemon/libnetwork/drivers/bridge/setup_ip_tables, hairpin mode). */
async function readUserlandProxy(
  tools: Tools,
  procNet: string,
  tables: FirewallFacts['tables'],
): Promise<boolean | undefined> {
  for (const variant of liveIn(tables, 4)) {
    if (variant === 'legacy' && !(await hasLegacyTable(procNet, 4, 'nat'))) continue;
    const nat = await orError(() => tools.run(`iptables-${variant}-save`, ['-t', 'nat']));
    if (nat instanceof FirewallError) continue;
    const rule = /^-A OUTPUT (.*)-m addrtype --dst-type LOCAL -j DOCKER\s*$/m.exec(nat.stdout);
    if (rule) return rule[1]!.includes('! -d 127.0.0.0/8');
  }
  return undefined;
}

/** Wherever rules of ours are. */
export function standingsIn({ tables, nft }: FirewallFacts): Standing[] {
  const standings: Standing[] = [];
  for (const [variant, readings] of tables) {
    const readable = new Map(
      [...readings].flatMap(([family, reading]) => (isTable(reading) ? [[family, reading] as const] : [])),
    );
    if ([...readable.values()].some(({ rules }) => hasTraces(rules))) {
      standings.push({ backend: 'docker-user', variant, tables: readable });
    }
  }
  const table = nft instanceof FirewallError ? undefined : nft.tables.get(ownTable);
  if (table) standings.push({ backend: 'nftables', table });
  return standings;
}

/** The variants whose tables have Docker's jump from FORWARD to DOCKER-USER. */
export function liveVariants({ tables }: FirewallFacts, family: Family): Variant[] {
  return liveIn(tables, family);
}

function liveIn(tables: FirewallFacts['tables'], family: Family): Variant[] {
  return variants.filter((variant) => {
    const reading = tables.get(variant)?.get(family);
    return reading !== undefined && isTable(reading) && hasLiveJump(reading.rules);
  });
}

export function isTable(reading: TableReading): reading is CountedTable {
  return !(reading instanceof FirewallError);
}

async function readNft(tools: Tools): Promise<NftRuleset> {
  const { tables } = parseNftRuleset(
    (await tools.run('nft', ['-j', '-t', 'list', 'ruleset', 'inet'])).stdout,
  );
  const { flowtables } = parseNftRuleset((await tools.run('nft', ['-j', 'list', 'flowtables'])).stdout);
  return { tables, flowtables };
}

async function orError<Result>(read: () => Promise<Result>): Promise<Result | FirewallError> {
  try {
    return await read();
  } catch (thrown) {
    if (thrown instanceof FirewallError) return thrown;
    throw thrown;
  }
}
