import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Family } from '../../net/address.ts';
import { FirewallError } from '../../firewall/tool/errors.ts';
import type { Tools } from '../../firewall/tool/exec.ts';
import { parseTable, type FilterTable } from '../../firewall/iptables/filter-table.ts';
import type { Variant } from '../../firewall/iptables/tables.ts';

/** The filter table of one family, with how many packets each rule has matched. */
export interface CountedTable {
  readonly rules: FilterTable;
  /** Chain → packets of its rules, in their order. */
  readonly packets: ReadonlyMap<string, readonly number[]>;
}

/** Why a table can't be read, or the table. */
export type TableReading = CountedTable | FirewallError;

export const emptyTable: CountedTable = { rules: new Map(), packets: new Map() };

/**
 * Parses `iptables-save -c -t filter`.
 * @throws FirewallError `firewall-incompatible` as parseTable does
 */
export function parseCountedTable(text: string): CountedTable {
  const packets = new Map<string, number[]>();
  const plain = text.replaceAll(
    /^\[(\d+):\d+\] (-A (\S+))/gm,
    (_, count: string, rule: string, chain: string) => {
      packets.set(chain, [...(packets.get(chain) ?? []), Number(count)]);
      return rule;
    },
  );
  return { rules: parseTable(plain), packets };
}

/** How many packets a rule of a chain has matched; 0 if there is no such rule. */
export function packetsOf({ rules, packets }: CountedTable, chain: string, rule: string): number {
  const at = (rules.get(chain) ?? []).indexOf(rule);
  return packets.get(chain)?.[at] ?? 0;
}

/** Reads a table without bringing it into being: iptables-legacy-save would make one that isn't there. */
export async function readCountedTable(
  tools: Tools,
  procNet: string,
  variant: Variant,
  family: Family,
): Promise<TableReading> {
  try {
    if (variant === 'legacy' && !(await hasLegacyTable(procNet, family, 'filter'))) return emptyTable;
    const program = `ip${family === 6 ? '6' : ''}tables-${variant}-save`;
    return parseCountedTable((await tools.run(program, ['-c', '-t', 'filter'])).stdout);
  } catch (thrown) {
    if (thrown instanceof FirewallError) return thrown;
    throw thrown;
  }
}

/** Whether a table of iptables-legacy is there. @throws FirewallError `firewall-permission` */
export async function hasLegacyTable(
  procNet: string,
  family: Family,
  table: 'filter' | 'nat',
): Promise<boolean> {
  const path = join(procNet, family === 4 ? 'ip_tables_names' : 'ip6_tables_names');
  try {
    return (await readFile(path, 'utf8')).split('\n').includes(table);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return false;
    throw new FirewallError('firewall-permission', `cannot read ${path}`, { cause });
  }
}
