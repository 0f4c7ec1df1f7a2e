import { FirewallError } from '../tool/errors.ts';
import type { GuardedJail } from '../firewall.ts';
import { noAccess, type AccessRules } from '../access/access-rules.ts';
import type { NftBatch } from './batch.ts';
import type { Look } from './look.ts';
import { layoutLines, layoutOf, type Layout, type Line } from './layout.ts';
import { setOf, type Place } from './names.ts';
import { clearingLines, textOf, writtenBlocks, type Written } from './spelling.ts';
import type { Failures, NftTool } from './tool.ts';

/** What our table is for: the jails whose bans close something, and what is closed by label. */
export interface Guarded {
  readonly jails: readonly GuardedJail[];
  readonly access: AccessRules;
}

/** Writes our table, in whole transactions: its layout where that must change, and the elements of its sets. Not for overlapping calls. */
export class NftTable {
  readonly #tool: NftTool;
  #guarded: Guarded = { jails: [], access: noAccess };
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
    this.#guarded = { jails: [], access: noAccess };
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
    const layout = layoutOf(this.#guarded.jails, places.values(), this.#guarded.access);
    const lines = [...layoutLines(layout), ...batch.lines()];
    return this.#apply(layout, lines, this.#guarded, written.blocks);
  }

  /** Brings our table into the layout that is due, and changes elements with it. Writes nothing if nothing differs. */
  async reconcile(
    guarded: Guarded,
    { listing, places, obsolete, repairs }: Look,
    batch: NftBatch,
  ): Promise<Failures> {
    batch.dropMissing((set) => places.has(set) || (listing.sets.has(set) && !obsolete.includes(set)));
    const elements = batch.lines();
    const layout = layoutOf(guarded.jails, places.values(), guarded.access);
    const isAsWritten = textOf(layout) === this.#written?.layout;
    if (isAsWritten && repairs.length === 0 && obsolete.length === 0) return this.#tool.write(elements);
    const lines = [...clearingLines(layout, listing, obsolete), ...layoutLines(layout), ...elements];
    const kept = [...listing.blocks].filter(([block]) => !obsolete.some((set) => block === `set ${set}`));
    return this.#apply(layout, lines, guarded, new Map(kept));
  }

  async #apply(
    layout: Layout,
    lines: readonly Line[],
    guarded: Guarded,
    before: ReadonlyMap<string, string>,
  ): Promise<Failures> {
    const failures = await this.#tool.write(lines);
    this.#guarded = guarded;
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
