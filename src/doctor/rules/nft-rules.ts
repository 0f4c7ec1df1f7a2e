import { isFields, type Fields, type Listing } from '../../firewall/nft/listing.ts';

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

/** The rules of a table of nft's. What nobody here knows is passed over. */
export function nftRules({ chains }: Listing): NftRule[] {
  return [...chains].flatMap(([chain, { rules }]) => rules.map((expressions) => ruleOf(chain, expressions)));
}

/** Where a base chain hangs; undefined: the chain isn't there, or is none. */
export function hookOf(
  { chains }: Listing,
  chain: string,
): { readonly name: string; readonly priority: number } | undefined {
  const [, name, priority] = /hook (\S+) .*priority (-?\d+);/.exec(chains.get(chain)?.hook ?? '') ?? [];
  return name === undefined ? undefined : { name, priority: Number(priority) };
}

function ruleOf(chain: string, expressions: readonly Fields[]): NftRule {
  const all = (kind: string): Fields[] =>
    expressions.flatMap((each) => (isFields(each[kind]) ? [each[kind]] : []));
  const matches = all('match').map(({ left, right }) => ({ key: keyOf(left), right }));
  const rightOf = (key: string): unknown => matches.find((each) => each.key === key)?.right;
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
  const ports = rightOf('proto-dst');
  const first =
    isFields(ports) && Array.isArray(ports['range']) ? (ports['range'] as readonly unknown[])[0] : ports;
  return {
    chain,
    packets: number(all('counter')[0]?.['packets']),
    verdict: (['drop', 'reject', 'accept'] as const).find((name) => expressions.some((each) => name in each)),
    to: text([...all('jump'), ...all('goto')][0]?.['target']),
    set: matches.flatMap(({ right }) => (/^@(.*)/.exec(text(right) ?? '') ?? []).slice(1))[0],
    port: number(first),
    protocol: text(rightOf('l4proto')),
    isForOneAddress: matches.some(({ key }) => key?.endsWith('daddr')),
  };
}

/** Of what is known of a connection or packet, what a match looks at. */
function keyOf(left: unknown): string | undefined {
  const of = isFields(left) ? (left['ct'] ?? left['meta']) : undefined;
  const key = isFields(of) ? of['key'] : undefined;
  return typeof key === 'string' ? key : undefined;
}
