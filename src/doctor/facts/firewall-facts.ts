import type { Family } from '../../net/address.ts';
import { FirewallError } from '../../firewall/tool/errors.ts';
import type { Tools } from '../../firewall/tool/exec.ts';
import { hasLiveJump, hasTraces } from '../../firewall/iptables/filter-table.ts';
import { inetTable } from '../../firewall/nft/inet-plan.ts';
import { ingressTable } from '../../firewall/nft/ingress-plan.ts';
import { visitorsTable } from '../../firewall/visitors/visitors-table.ts';
import { flowtablesIn, parseListing, type Listing } from '../../firewall/nft/listing.ts';
import { isOurSet } from '../../firewall/bans/set-names.ts';
import { IptablesTool, variants, type Variant } from '../../firewall/iptables/tool.ts';
import { parseCountedTable, type CountedTable, type TableReading } from '../rules/counted-table.ts';

/** What of nft's matters here. A table that isn't there has no blocks. */
export interface NftFacts {
  /** Our table at input and forward. */
  readonly inet: Listing;
  /** Our table for containers on macvlan and ipvlan. */
  readonly ingress: Listing;
  /** The one by which doctor counts. */
  readonly meter: Listing;
  /** The one that notes who has connections to the jails. */
  readonly visitors: Listing;
  /** Everybody's, by `FAMILY TABLE NAME`. */
  readonly flowtables: readonly string[];
}

/** What the kernel's packet filters hold. */
export interface FirewallFacts {
  /** IPv6 can be off in the kernel. */
  readonly families: readonly Family[];
  readonly tables: ReadonlyMap<Variant, ReadonlyMap<Family, TableReading>>;
  readonly nft: NftFacts | FirewallError;
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
  | { readonly backend: 'nftables'; readonly table: Listing };

/** A table that exists only while doctor counts. */
export const meterTable = `${inetTable}-doctor`;

/** Looks at the packet filters, and changes nothing. Without elements of sets, however many there are. */
export async function readFirewall(tools: Tools, procNet: string): Promise<FirewallFacts> {
  const iptables = new IptablesTool(tools, procNet);
  const families = await iptables.families();
  const tables = new Map<Variant, ReadonlyMap<Family, TableReading>>();
  for (const variant of variants) {
    const readings = await Promise.all(
      families.map(async (family) => [family, await readCountedTable(iptables, variant, family)] as const),
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
    userlandProxy: await readUserlandProxy(iptables, tables),
  };
}

/** Reads a filter table, and brings none into being. */
export function readCountedTable(
  iptables: IptablesTool,
  variant: Variant,
  family: Family,
): Promise<TableReading> {
  return orError(async () => parseCountedTable(await iptables.save(variant, family, 'filter', '-c')));
}

/** Without docker-proxy, Docker's DNAT serves loopback, too (moby daemon/libnetwork/drivers/bridge/setup_ip_tables, hairpin mode). */
async function readUserlandProxy(
  iptables: IptablesTool,
  tables: FirewallFacts['tables'],
): Promise<boolean | undefined> {
  for (const variant of liveVariants({ tables }, 4)) {
    const nat = await orError(() => iptables.save(variant, 4, 'nat'));
    if (nat instanceof FirewallError) continue;
    const rule = /^-A OUTPUT (.*)-m addrtype --dst-type LOCAL -j DOCKER\s*$/m.exec(nat);
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
  if (!(nft instanceof FirewallError) && nft.inet.blocks.size > 0)
    standings.push({ backend: 'nftables', table: nft.inet });
  return standings;
}

/** The variants whose tables have Docker's jump from FORWARD to DOCKER-USER. */
export function liveVariants({ tables }: Pick<FirewallFacts, 'tables'>, family: Family): Variant[] {
  return variants.filter((variant) => {
    const reading = tables.get(variant)?.get(family);
    return reading !== undefined && isTable(reading) && hasLiveJump(reading.rules);
  });
}

export function isTable(reading: TableReading): reading is CountedTable {
  return !(reading instanceof FirewallError);
}

async function readNft(tools: Tools): Promise<NftFacts> {
  const list = async (...what: readonly string[]): Promise<string> =>
    (await tools.run('nft', ['-j', ...what])).stdout;
  const [inet, netdev] = [
    await list('-t', 'list', 'ruleset', 'inet'),
    await list('-t', 'list', 'ruleset', 'netdev'),
  ];
  return {
    inet: parseListing(inet, inetTable),
    ingress: parseListing(netdev, ingressTable),
    meter: parseListing(inet, meterTable),
    visitors: parseListing(inet, visitorsTable),
    flowtables: flowtablesIn(await list('list', 'flowtables')),
  };
}

async function orError<Result>(read: () => Promise<Result>): Promise<Result | FirewallError> {
  try {
    return await read();
  } catch (thrown) {
    if (thrown instanceof FirewallError) return thrown;
    throw thrown;
  }
}
