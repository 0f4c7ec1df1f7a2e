import type { Repair } from '../firewall.ts';
import { elementType, layoutLines, type Layout, type Line } from './layout.ts';
import type { ListedSet, Listing } from './listing.ts';
import { ownTable, type Place } from './names.ts';

/** A layout that was written, and how nft listed it then: every version has its own spelling. */
export interface Written {
  readonly layout: string;
  readonly blocks: ReadonlyMap<string, string>;
}

/** The text by which two layouts are the same. */
export function textOf(layout: Layout): string {
  return layoutLines(layout)
    .map(({ text }) => text)
    .join('\n');
}

/**
 * What somebody did to our table since it was written. Handles tell what was made anew, although it looks the same. Sets of others in our
 * table do no harm.
 */
export function alterations({ blocks: written }: Written, listing: Listing): Repair[] {
  const { blocks } = listing;
  if (blocks.size === 0)
    return [{ what: 'table', family: undefined, detail: `table ${ownTable} was missing` }];
  const lost = [...written].flatMap(([block, text]): Repair[] => {
    const found = blocks.get(block);
    if (found === text) return [];
    const state = found === undefined ? 'was missing' : 'had been changed';
    return [{ what: kindOf(block), family: undefined, detail: `${titleOf(block)} ${state}` }];
  });
  const strange = [...listing.chains.keys()]
    .filter((name) => !written.has(`chain ${name}`))
    .map((name): Repair => ({
      what: 'chain',
      family: undefined,
      detail: `chain ${name} did not belong there`,
    }));
  return [...lost, ...strange];
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
    const isWhole = listed.get(name)?.rules === rules.length;
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
  const lines = [
    ...present.map((name) => `flush chain ${ownTable} ${name}`),
    ...gone.map((name) => `delete chain ${ownTable} ${name}`),
    ...sets.map((set) => `delete set ${ownTable} ${set}`),
  ];
  return lines.map((text) => ({ text, jail: undefined }));
}

/** Whether a set can hold what it should. */
export function fits({ type, flags, isLimited }: ListedSet, { family }: Place): boolean {
  return type === elementType(family) && flags.length === 1 && flags[0] === 'timeout' && !isLimited;
}

function kindOf(block: string): Repair['what'] {
  return block.startsWith('set ') ? 'set' : block === 'table' ? 'table' : 'chain';
}

function titleOf(block: string): string {
  return block === 'table' ? `table ${ownTable}` : block;
}
