import { FirewallError } from '../tool/errors.ts';

/** Our chain. */
export const ownChain = 'DOCK2BAN';
const ownJump = `-j ${ownChain}`;

/** Chains that may hold a jump to ours at position 1. Nothing else is ever touched. */
const entryChains = ['INPUT', 'FORWARD', 'DOCKER-USER'] as const;
export type EntryChain = (typeof entryChains)[number];

/** The filter table of one family: chain → rules as `iptables-save` writes them, without `-A CHAIN`. */
export type FilterTable = ReadonlyMap<string, readonly string[]>;

/**
 * Parses `iptables-save -t filter`.
 * @throws FirewallError `firewall-incompatible` if iptables can't read the table (iptables-save itself exits with 0 then)
 */
export function parseTable(text: string): FilterTable {
  if (/is incompatible, use 'nft' tool/.test(text)) {
    throw new FirewallError(
      'firewall-incompatible',
      "table 'filter' cannot be read: it holds native nft rules",
    );
  }
  const chains = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const chain = /^:(\S+) /.exec(line)?.[1];
    if (chain !== undefined) chains.set(chain, []);
    const rule = /^-A (\S+) (.*?)\s*$/.exec(line);
    if (rule) chains.get(rule[1]!)?.push(rule[2]!);
  }
  return chains;
}

/** Whether forwarded packets really pass DOCKER-USER; a leftover chain without the jump enforces nothing. */
export function hasLiveJump(table: FilterTable): boolean {
  return table.has('DOCKER-USER') && (table.get('FORWARD') ?? []).includes('-j DOCKER-USER');
}

/** Whether anything of ours is in it. */
export function hasTraces(table: FilterTable): boolean {
  return table.has(ownChain);
}

/** Where forwarded packets enter our chain. */
export function forwardEntry(table: FilterTable): 'DOCKER-USER' | 'FORWARD' {
  return hasLiveJump(table) ? 'DOCKER-USER' : 'FORWARD';
}

/** Targets that let no packet pass. */
const harmless = /(?:^| )-j (?:DROP|REJECT|(?:NF|U)?LOG|TCPMSS|(?:CONN)?MARK)(?: |$)/;

/** Whether forwarded packets may be accepted before they come to DOCKER-USER: by rules that others have put in front of its jump. */
function isBypassed(table: FilterTable): boolean {
  const rules = table.get('FORWARD') ?? [];
  const before = rules.slice(0, Math.max(0, rules.indexOf('-j DOCKER-USER')));
  return before.some((rule) => rule !== ownJump && /(?:^| )-[jg] /.test(rule) && !harmless.test(rule));
}

/** Whether our chain is to be entered from a chain. */
function isEntry(chain: EntryChain, table: FilterTable): boolean {
  if (chain === 'INPUT' || chain === forwardEntry(table)) return true;
  return chain === 'FORWARD' && isBypassed(table);
}

/** A jump to our chain that is not as it should be. */
export interface JumpDifference {
  readonly chain: EntryChain;
  readonly state: 'missing' | 'misplaced' | 'unwanted';
}

/** What makes a table differ from what it should be. */
export interface TableDifference {
  /** The chain with its rules must be written. */
  readonly chain: 'missing' | 'changed' | undefined;
  /** Entry chains whose jump is missing, not first, there twice, or not wanted. */
  readonly jumps: readonly JumpDifference[];
}

/** Compares a table with the rules our chain should have. `rules` may be in the kernel's own spelling. */
export function compareTable(table: FilterTable, rules: readonly string[]): TableDifference {
  const present = table.get(ownChain);
  const same = present?.length === rules.length && present.every((rule, i) => rule === rules[i]);
  const jumps = entryChains.flatMap((chain): JumpDifference[] => {
    const found = (table.get(chain) ?? []).filter((rule) => rule === ownJump).length;
    if (!isEntry(chain, table)) return found > 0 ? [{ chain, state: 'unwanted' }] : [];
    if (found === 0) return [{ chain, state: 'missing' }];
    return found > 1 || table.get(chain)![0] !== ownJump ? [{ chain, state: 'misplaced' }] : [];
  });
  return { chain: same ? undefined : present ? 'changed' : 'missing', jumps };
}

/** The input of `iptables-restore --noflush` that makes the difference good in one transaction. Undefined: there is none. */
export function restoreScript(
  table: FilterTable,
  rules: readonly string[],
  { chain, jumps }: TableDifference,
): string | undefined {
  if (chain === undefined && jumps.length === 0) return undefined;
  const lines = ['*filter'];
  // Declaring a chain empties it, within the transaction.
  if (chain !== undefined)
    lines.push(`:${ownChain} - [0:0]`, ...rules.map((rule) => `-A ${ownChain} ${rule}`));
  for (const { chain: entry, state } of jumps) {
    lines.push(...removals(entry, table.get(entry) ?? []));
    if (state !== 'unwanted') lines.push(`-I ${entry} 1 ${ownJump}`);
  }
  return [...lines, 'COMMIT', ''].join('\n');
}

/** The input that removes our chain and every jump to it. Undefined: nothing is there. */
export function removalScript(table: FilterTable): string | undefined {
  if (!hasTraces(table)) return undefined;
  const jumps = [...table].flatMap(([chain, rules]) => removals(chain, rules));
  return ['*filter', `:${ownChain} - [0:0]`, ...jumps, `-X ${ownChain}`, 'COMMIT', ''].join('\n');
}

function removals(chain: string, rules: readonly string[]): string[] {
  return rules.filter((rule) => rule === ownJump).map(() => `-D ${chain} ${ownJump}`);
}
