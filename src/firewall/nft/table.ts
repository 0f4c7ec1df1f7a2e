import { FirewallError } from '../tool/errors.ts';
import type { NftBatch } from './batch.ts';
import { layoutLines, setsOf, textOf, type Layout, type Line } from './layout.ts';
import type { TableState } from './table-state.ts';
import { setOf, type Place } from './names.ts';
import { clearingLines, writtenBlocks, type Written } from './spelling.ts';
import type { Failures, NftTool } from './tool.ts';

/** What a table of ours should hold, if there are sets for these. */
export type Plan = (places: Iterable<Place>) => Layout;

const noRules: Plan = (places) => ({ sets: setsOf(places), chains: new Map() });

/** Writes a table of ours, in whole transactions: its layout where that must change, and the elements of its sets. Not for overlapping calls. */
export class NftTable {
  readonly #tool: NftTool;
  #plan: Plan = noRules;
  #places: ReadonlyMap<string, Place> = new Map();
  #written: Written | undefined;

  constructor(tool: NftTool) {
    this.#tool = tool;
  }

  /** Undefined: not yet, or it is not known how it is listed. */
  get written(): Written | undefined {
    return this.#written;
  }

  /** The sets that there are, by the last write. */
  get places(): ReadonlyMap<string, Place> {
    return this.#places;
  }

  forget(): void {
    this.#plan = noRules;
    this.#places = new Map();
    this.#written = undefined;
  }

  /**
   * Changes elements. The first ban of its prefix length gets a set, and rules that look there, in the same moment.
   * @throws FirewallError if the kernel can't be written; then nothing was
   */
  async write(batch: NftBatch): Promise<Failures> {
    const written = this.#written;
    if (!written) return this.#tool.write(batch.lines());
    batch.dropMissing((set) => written.blocks.has(`set ${set}`));
    const places = new Map(this.#places);
    for (const place of batch.places) places.set(setOf(place), place);
    if (places.size === this.#places.size) return this.#tool.write(batch.lines(), batch.elementLines());
    const layout = this.#plan(places.values());
    const lines = [...layoutLines(layout), ...batch.lines()];
    return this.#apply(layout, lines, this.#plan, written.blocks);
  }

  /** Brings our table into the layout that is due, and changes elements with it. Writes nothing if nothing differs. */
  async reconcile(
    plan: Plan,
    { listing, places, obsolete, repairs }: TableState,
    batch: NftBatch,
  ): Promise<Failures> {
    batch.dropMissing((set) => places.has(set) || (listing.sets.has(set) && !obsolete.includes(set)));
    const elements = batch.lines();
    const layout = plan(places.values());
    const isAsWritten = textOf(layout) === this.#written?.layout;
    if (isAsWritten && repairs.length === 0 && obsolete.length === 0) return this.#tool.write(elements);
    const lines = [...clearingLines(layout, listing, obsolete), ...layoutLines(layout), ...elements];
    const kept = [...listing.blocks].filter(([block]) => !obsolete.some((set) => block === `set ${set}`));
    return this.#apply(layout, lines, plan, new Map(kept));
  }

  async #apply(
    layout: Layout,
    lines: readonly Line[],
    plan: Plan,
    before: ReadonlyMap<string, string>,
  ): Promise<Failures> {
    const failures = await this.#tool.write(lines);
    this.#plan = plan;
    this.#places = layout.sets;
    this.#written = undefined;
    try {
      const blocks = writtenBlocks(layout, await this.#tool.list(), before);
      // What failed is tried again.
      this.#written = { layout: failures.size === 0 ? textOf(layout) : '', blocks };
    } catch (error) {
      // It is in force. How it is listed will be seen the next time.
      if (!(error instanceof FirewallError)) throw error;
    }
    return failures;
  }
}
