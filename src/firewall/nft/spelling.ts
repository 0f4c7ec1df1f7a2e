import type { Repair } from '../firewall.ts';
import { elementType, type Layout, type Line } from './layout.ts';
import type { ListedSet, Listing } from './listing.ts';
import type { Place } from './names.ts';

/** A layout that was written, and how nft listed it then: every version has its own spelling. */
export interface Written {
  readonly layout: string;
  readonly blocks: ReadonlyMap<string, string>;
}

/**
 * What somebody did to a table of ours since it was written. Handles tell what was made anew, although it looks the same. Sets of others in it do
 * no harm.
 */
export function alterations({ blocks: written }: Written, { table, blocks }: Listing): Repair[] {
  const repair = (block: string, state: string): Repair => {
    const what = block.startsWith('set ') ? 'set' : block === 'table' ? 'table' : 'chain';
    const title = block === 'table' ? `table ${table}` : `${block} of table ${table}`;
    return { what, family: undefined, detail: `${title} ${state}` };
  };
  if (blocks.size === 0) return [repair('table', 'was missing')];
  const lost = [...written].flatMap(([block, text]) => {
    const found = blocks.get(block);
    if (found === text) return [];
    return [repair(block, found === undefined ? 'was missing' : 'had been changed')];
  });
  const strange = [...blocks.keys()].filter((block) => block.startsWith('chain ') && !written.has(block));
  return [...lost, ...strange.map((block) => repair(block, 'was unexpected'))];
}

/**
 * What a layout is listed as, once it was written. What doesn't look as if we had written it is left out, so that it shows as altered.
 * @param before how the sets were listed that were not made anew
 */
export function writtenBlocks(
  { sets, chains }: Layout,
  { blocks, chains: listed }: Listing,
  before: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const table = ['table', blocks.get('table') ?? ''] as const;
  const written = [...sets.keys()].map((set) => {
    const block = `set ${set}`;
    return [block, before.get(block) ?? blocks.get(block) ?? ''] as const;
  });
  const ruled = [...chains].map(([name, { rules }]) => {
    const isWhole = listed.get(name)?.rules.length === rules.length;
    return [`chain ${name}`, (isWhole ? blocks.get(`chain ${name}`) : undefined) ?? ''] as const;
  });
  return new Map([table, ...written, ...ruled]);
}

/** The sets that are not those that were written, even if they look the same. */
export function renewedSets({ blocks }: Written, listing: Listing): string[] {
  return [...listing.sets.keys()].filter(
    (set) => blocks.get(`set ${set}`) !== listing.blocks.get(`set ${set}`),
  );
}

/**
 * The lines that clear our table of what stands in the way of a layout: all rules, chains that are not wanted or that hang elsewhere, and these sets.
 * To be followed, in the same transaction, by those that make the layout.
 */
export function clearingLines({ chains }: Layout, listing: Listing, sets: readonly string[]): Line[] {
  const present = [...listing.chains.keys()];
  const gone = present.filter((name) => {
    const wanted = chains.get(name);
    return wanted === undefined || wanted.hook !== listing.chains.get(name)!.hook;
  });
  return [
    ...present.map((rest) => ({ verb: 'flush chain', rest })),
    ...gone.map((rest) => ({ verb: 'delete chain', rest })),
    ...sets.map((rest) => ({ verb: 'delete set', rest })),
  ];
}

/** Whether a set can hold what it should. */
export function fits({ type, flags, isLimited }: ListedSet, { family }: Place): boolean {
  return type === elementType(family) && flags.length === 1 && flags[0] === 'timeout' && !isLimited;
}
