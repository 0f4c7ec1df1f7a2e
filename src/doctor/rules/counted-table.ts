import type { FirewallError } from '../../firewall/tool/errors.ts';
import { parseTable, type FilterTable } from '../../firewall/iptables/filter-table.ts';

/** The filter table of one family, with how many packets each rule has matched. */
export interface CountedTable {
  readonly rules: FilterTable;
  /** Chain → packets of its rules, in their order. */
  readonly packets: ReadonlyMap<string, readonly number[]>;
}

/** Why a table can't be read, or the table. */
export type TableReading = CountedTable | FirewallError;

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
