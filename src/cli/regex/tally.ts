import type { LineText } from '../../text/long-line.ts';
import type { BufferedLine } from '../../filter/lines/buffered-line.ts';
import type { TemplateHits } from '../../filter/dates/detector.ts';
import type { Filter } from '../../filter/filter.ts';
import type { Examination } from '../../filter/hit.ts';
import type { Captures } from '../../filter/filter-regex.ts';
import type { FilterSpec } from '../../filter/spec.ts';
import type { RegexOptions } from './options.ts';

/** Whom an expression found. */
export interface FoundAddress {
  /** Undefined: not known yet when the line came. */
  readonly id: string | undefined;
  /** Epoch milliseconds. */
  readonly time: number;
  /** Other expressions had matched the line too. */
  readonly several: boolean;
}

/** What an expression did. */
export interface RegexHits {
  readonly regex: string;
  hits: number;
  /** Kept only if it is to be shown. */
  readonly addresses: FoundAddress[];
}

export type LineKind = 'matched' | 'ignored' | 'missed';

/** Lists longer than this are printed only if they are asked for. */
export const fewLines = 20;

/** What became of a log's lines, counted as fail2ban-regex counts (1.0, client/fail2banregex.py, `testRegex` and `process`). */
export class Tally {
  tested = 0;
  readonly counts: Record<LineKind, number> = { matched: 0, ignored: 0, missed: 0 };
  /** As many lines as are to be shown. */
  readonly lines: Record<LineKind, string[]> = { matched: [], ignored: [], missed: [] };
  readonly failregex: readonly RegexHits[];
  readonly ignoreregex: readonly RegexHits[];
  prefixHits = 0;
  /** What prefregex captured, of the first lines; kept only if it is to be shown. */
  readonly prefixes: Captures[] = [];
  readonly #filter: Filter;
  readonly #maxlines: number;
  readonly #options: RegexOptions;

  constructor(filter: Filter, spec: FilterSpec, options: RegexOptions) {
    this.#filter = filter;
    this.#maxlines = spec.maxlines;
    this.#options = options;
    const unused = (regex: string): RegexHits => ({ regex, hits: 0, addresses: [] });
    this.failregex = spec.failregex.map(unused);
    this.ignoreregex = spec.ignoreregex.map(unused);
  }

  get dates(): TemplateHits[] {
    return this.#filter.dateHits;
  }

  /** @param now epoch milliseconds */
  add({ text, cut }: LineText, now: number): void {
    const before = this.#filter.buffered;
    const found = this.#filter.examine({ text, cut, time: undefined, dateRemoved: false }, now);
    const matches = this.#count(found);
    if (this.#maxlines > 1) this.#recount(before);
    const nofail = found.hits.some(({ counts }) => !counts);
    const kind = nofail || found.ignoredBy.length > 0 ? 'ignored' : matches > 0 ? 'matched' : 'missed';
    this.tested += 1;
    this.counts[kind] += 1;
    const listing = this.#options.lists[kind];
    if (listing === 'all' || (listing === 'few' && this.counts[kind] <= fewLines + 1))
      this.lines[kind].push(text);
  }

  /** @returns how many matches count as failures */
  #count({ hits, ignoredBy, prefix, prefixMatched }: Examination): number {
    const verbose = this.#options.verbose > 0;
    let matches = 0;
    for (const { regex, id, time, counts } of hits) {
      const entry = this.failregex[regex]!;
      entry.hits += 1;
      if (verbose) entry.addresses.push({ id, time, several: matches > 1 });
      if (counts) matches += 1;
    }
    for (const index of ignoredBy) this.ignoreregex[index]!.hits += 1;
    if (prefixMatched) this.prefixHits += 1;
    if (prefix && verbose && this.prefixes.length <= fewLines) this.prefixes.push(prefix);
    return matches;
  }

  /** Lines that waited in the buffer and are gone were part of this match. */
  #recount(before: readonly BufferedLine[]): void {
    const now = this.#filter.buffered;
    const waiting = before.length >= this.#maxlines ? before.slice(1) : before;
    for (const { visible, logged } of waiting) {
      if (now.some((line) => line.visible === visible && line.logged === logged)) continue;
      const listed = this.lines.missed.indexOf(logged);
      if (listed >= 0) this.lines.missed.splice(listed, 1);
      if (this.#options.lists.matched === 'all') this.lines.matched.push(logged);
      this.counts.matched += 1;
      this.counts.missed -= 1;
    }
  }
}
