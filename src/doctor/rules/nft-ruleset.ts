import * as z from 'zod';
import { FirewallError } from '../../firewall/tool/errors.ts';

const expression = z.record(z.string(), z.unknown());

const object = z.union([
  z.object({ table: z.object({ family: z.string(), name: z.string(), flags: z.unknown().optional() }) }),
  z.object({
    chain: z.object({
      family: z.string(),
      table: z.string(),
      name: z.string(),
      hook: z.string().optional(),
      prio: z.number().optional(),
    }),
  }),
  z.object({
    rule: z.object({ family: z.string(), table: z.string(), chain: z.string(), expr: z.array(expression) }),
  }),
  z.object({ flowtable: z.object({ family: z.string(), table: z.string(), name: z.string() }) }),
]);

const listing = z.object({ nftables: z.array(z.unknown()) });

/** A rule, as far as it is read here. */
export interface NftRule {
  readonly chain: string;
  readonly packets: number | undefined;
  readonly verdict: 'drop' | 'reject' | 'accept' | undefined;
  /** Of `jump` and `goto`. */
  readonly to: string | undefined;
  /** The set in which it looks for the source. */
  readonly set: string | undefined;
  /** The published port that it is about; undefined: any. */
  readonly port: number | undefined;
  /** `tcp`, …; undefined: any. */
  readonly protocol: string | undefined;
  /** Whether it is about one host address only. */
  readonly isForOneAddress: boolean;
}

/** A table of nft's. */
export interface NftTable {
  readonly isDormant: boolean;
  /** Chain → its hook and priority, `input -5`; undefined: it is no base chain. */
  readonly chains: ReadonlyMap<string, string | undefined>;
  readonly rules: readonly NftRule[];
}

/** Tables by `FAMILY NAME`, and flowtables by `FAMILY TABLE NAME`. */
export interface NftRuleset {
  readonly tables: ReadonlyMap<string, NftTable>;
  readonly flowtables: readonly string[];
}

/**
 * Parses `nft -j -t list …`. What nobody here knows is passed over.
 * @throws FirewallError if it is no listing
 */
export function parseNftRuleset(text: string): NftRuleset {
  const tables = new Map<
    string,
    { isDormant: boolean; chains: Map<string, string | undefined>; rules: NftRule[] }
  >();
  const flowtables: string[] = [];
  for (const each of objectsIn(text)) {
    const parsed = object.safeParse(each);
    if (!parsed.success) continue;
    const found = parsed.data;
    if ('table' in found) {
      const { family, name, flags } = found.table;
      tables.set(`${family} ${name}`, {
        isDormant: [flags].flat().includes('dormant'),
        chains: new Map(),
        rules: [],
      });
    } else if ('chain' in found) {
      const { family, table, name, hook, prio } = found.chain;
      tables.get(`${family} ${table}`)?.chains.set(name, hook === undefined ? undefined : `${hook} ${prio}`);
    } else if ('rule' in found) {
      const { family, table, chain, expr } = found.rule;
      tables.get(`${family} ${table}`)?.rules.push(ruleOf(chain, expr));
    } else flowtables.push(`${found.flowtable.family} ${found.flowtable.table} ${found.flowtable.name}`);
  }
  return { tables, flowtables };
}

function objectsIn(text: string): unknown[] {
  try {
    return listing.parse(JSON.parse(text)).nftables;
  } catch (cause) {
    throw new FirewallError('firewall-failed', 'nft lists rules in a way that is not known', { cause });
  }
}

const match = z.object({ left: z.record(z.string(), z.unknown()), right: z.unknown() });
const counter = z.object({ packets: z.number() });
const target = z.object({ target: z.string() });
const connection = z.object({ key: z.string() });
const range = z.object({ range: z.tuple([z.number(), z.number()]) });

function ruleOf(chain: string, expressions: readonly Readonly<Record<string, unknown>>[]): NftRule {
  const has = (name: string): boolean => expressions.some((each) => name in each);
  const matches = expressions.flatMap((each) => match.safeParse(each['match']).data ?? []);
  const keyOf = (left: Readonly<Record<string, unknown>>): string | undefined =>
    connection.safeParse(left['ct'] ?? left['meta']).data?.key;
  const ports = matches.find(({ left }) => keyOf(left) === 'proto-dst')?.right;
  const protocol = matches.find(({ left }) => keyOf(left) === 'l4proto')?.right;
  const jump = expressions.find((each) => 'jump' in each || 'goto' in each);
  return {
    chain,
    packets: expressions.flatMap((each) => counter.safeParse(each['counter']).data?.packets ?? [])[0],
    verdict: (['drop', 'reject', 'accept'] as const).find(has),
    to: target.safeParse(jump?.['jump'] ?? jump?.['goto']).data?.target,
    set: matches.flatMap(({ right }) =>
      typeof right === 'string' && right.startsWith('@') ? [right.slice(1)] : [],
    )[0],
    port: typeof ports === 'number' ? ports : range.safeParse(ports).data?.range[0],
    protocol: typeof protocol === 'string' ? protocol : undefined,
    isForOneAddress: matches.some(({ left }) => keyOf(left)?.endsWith('daddr')),
  };
}
