import type { Family } from '../../net/address.ts';
import type { Jump } from '../backend-choice.ts';
import { FirewallError } from '../tool/errors.ts';
import { hasLiveJump, hasTraces, type FilterTable } from './filter-table.ts';
import { variants, type IptablesTool, type Variant } from './tool.ts';

/** A family's filter table, or why it can't be read. */
export type FilterReading = FilterTable | FirewallError;

/** What the kernel holds, and which iptables variant our rules belong into. */
export interface Sight {
  readonly variant: Variant;
  /** Whether it carries a live jump from FORWARD to DOCKER-USER. */
  readonly isLive: boolean;
  /** Why this variant, for people. */
  readonly why: string;
  readonly readings: ReadonlyMap<Family, FilterReading>;
  /** Rules of ours in the variant where they don't belong. */
  readonly strays: readonly {
    readonly variant: Variant;
    readonly family: Family;
    readonly table: FilterTable;
  }[];
}

/**
 * Reads the filter tables and chooses the variant that carries the live FORWARD → DOCKER-USER jump; if neither does, the current
 * one, at first nft. Only where the current one has no live jump, and at the first look, is the other one read.
 * @param current the variant in use; undefined: this is the first look
 * @throws FirewallError `firewall-missing-binary` if no variant is installed
 */
export async function probe(
  tables: IptablesTool,
  families: readonly Family[],
  current: Variant | undefined,
): Promise<Sight> {
  const preferred = current ?? 'nft';
  const seen = new Map([[preferred, await readAll(tables, families, preferred)]]);
  const settled = current !== undefined && isLive(seen.get(current)!);
  if (!settled) {
    for (const variant of variants) {
      if (variant !== preferred) seen.set(variant, await readAll(tables, families, variant));
    }
  }
  const installed = [...seen].filter(([, readings]) => !isMissing(readings.get(4)));
  const live = installed.find(([, readings]) => isLive(readings));
  const chosen = live ?? installed[0];
  if (!chosen)
    throw new FirewallError(
      'firewall-missing-binary',
      'neither iptables-nft nor iptables-legacy is installed',
    );
  const [variant, readings] = chosen;
  // Tables that don't exist are read without iptables-legacy.
  if (variant === 'legacy' && !live) await tables.checkInstalled(variant);
  return {
    variant,
    isLive: live !== undefined,
    why: live
      ? `iptables-${variant} carries the live jump from FORWARD to DOCKER-USER`
      : `no live jump from FORWARD to DOCKER-USER yet; using iptables-${variant} until there is one`,
    readings,
    strays: [...seen]
      .filter(([other]) => other !== variant)
      .flatMap(([other, tablesOfOther]) => straysIn(other, tablesOfOther)),
  };
}

/** Whether the filter tables of any variant have the live jump. Brings no table into being. */
export async function lookForJump(tables: IptablesTool): Promise<Jump> {
  try {
    const { isLive: found } = await probe(tables, await tables.families(), undefined);
    return found ? 'live' : 'none';
  } catch (error) {
    if (error instanceof FirewallError && error.code === 'firewall-missing-binary') return 'missing';
    throw error;
  }
}

async function readAll(
  tables: IptablesTool,
  families: readonly Family[],
  variant: Variant,
): Promise<ReadonlyMap<Family, FilterReading>> {
  const readings = await Promise.all(
    families.map(async (family): Promise<[Family, FilterReading]> => {
      try {
        return [family, await tables.read(variant, family)];
      } catch (error) {
        if (error instanceof FirewallError) return [family, error];
        throw error;
      }
    }),
  );
  return new Map(readings);
}

function isLive(readings: ReadonlyMap<Family, FilterReading>): boolean {
  return [...readings.values()].some(
    (reading) => !(reading instanceof FirewallError) && hasLiveJump(reading),
  );
}

function isMissing(reading: FilterReading | undefined): boolean {
  return reading instanceof FirewallError && reading.code === 'firewall-missing-binary';
}

function straysIn(variant: Variant, readings: ReadonlyMap<Family, FilterReading>): Sight['strays'] {
  return [...readings].flatMap(([family, table]) =>
    !(table instanceof FirewallError) && hasTraces(table) ? [{ variant, family, table }] : [],
  );
}
