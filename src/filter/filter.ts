import type { LogLine } from '../sources/log-line.ts';
import type { BufferedLine } from './lines/buffered-line.ts';
import { cutMark, type CutText, cutText, mostForeign } from './lines/cut-text.ts';
import type { TemplateHits } from './dates/detector.ts';
import { LineDates, type DatedLine, type DateRules, type LogTime, type Reading } from './dates/line-dates.ts';
import { compileExpressions } from './expressions.ts';
import { failureOf, failuresOf, type Failure } from './failure.ts';
import type { ExceededReport, FilterOptions } from './filter-options.ts';
import type { Examination, Hit, Trace } from './hit.ts';
import { LineMatcher } from './line-matcher.ts';
import type { Alphabet } from './python-regex/char-set.ts';
import type { Block } from './search/block.ts';
import type { Needle } from './search/needle.ts';
import { SearchBudget, sharedAllowance } from './search-budget.ts';
import type { FilterSpec } from './spec.ts';
import type { WorkSign } from './work-sign.ts';

/** Milliseconds. */
const slowLine = 15;
const noFailures: readonly Failure[] = [];
/** What nothing but the text is known of. */
const undated: LogTime = { time: undefined, dateRemoved: false };
const noHits: readonly Hit[] = [];

/**
 * Makes a filter ready to run.
 * @throws Dock2banError `regex`: which expression of which filter, the construct, its position, and the fix; `datepattern`
 */
export function compileFilter(spec: FilterSpec, options: FilterOptions = {}): Filter {
  return new Filter(spec, options);
}

/** A filter at work on one log: it remembers earlier lines, sessions and the log's form of dates. */
export class Filter {
  readonly name: string;
  readonly #dates: LineDates;
  readonly #matcher: LineMatcher;
  readonly #maxLength: number;
  readonly #onExceeded: FilterOptions['onExceeded'];
  readonly #budget: SearchBudget | undefined;
  readonly #sign: WorkSign | undefined;
  /** The expression that cost too much last. */
  #culprit = '';
  /** Up to where the lines of the block at hand are known. */
  #leftOff = 0;
  /** When the last search was done. */
  #done = 0;
  /** When the line before was done, or the first began; by performance.now(), which costs too much to ask twice a line. */
  #idleSince: number | undefined;

  /** @throws Dock2banError as `compileFilter` */
  constructor(spec: FilterSpec, options: FilterOptions) {
    const { clock = Date.now, explain = false, findtime = 600 } = options;
    this.name = spec.name;
    // Lines that are looked at together share it.
    this.#maxLength = spec.builtIn ? Infinity : Math.floor(mostForeign / spec.maxlines);
    const rules: DateRules = {
      datepattern: spec.datepattern,
      timeZone: spec.logTimeZone,
      findtime,
      checkTimes: !explain,
      thisYear: new Date(clock()).getFullYear(),
      onExceeded: (length) => this.#exceeded('search', 'datepattern', length),
    };
    this.#onExceeded = options.onExceeded;
    this.#sign = options.sign;
    if (spec.builtIn !== true && !explain)
      this.#budget = new SearchBudget(
        options.allowance ?? sharedAllowance(),
        spec.origin?.labels !== undefined,
      );
    this.#dates = new LineDates(rules);
    const { resolver, onResolved } = options;
    const lookUp = spec.usedns === 'yes' || spec.usedns === 'warn' ? resolver : undefined;
    this.#matcher = new LineMatcher({
      ...compileExpressions(spec, (expression, length) => this.#exceeded('search', expression, length)),
      maxlines: spec.maxlines,
      budget: this.#budget,
      onSpent: (list, index, length) => this.#exceeded('line', `${list}[${index}]`, length),
      everyRegex: options.everyRegex ?? explain,
      reportPending: explain,
      rawNames: (options.rawNames ?? explain) || spec.usedns === 'raw',
      resolve: (name, late) =>
        lookUp?.lookup(name, (addresses) => onResolved?.(addresses.map((id) => failureOf(late(id))))) ?? [],
    });
  }

  /**
   * Searches a line for failures.
   * @param now epoch milliseconds
   * @param live false for what was logged before the start: it counts at its own time, if that isn't too long ago
   * @param by see `Reading`
   * @returns mostly the same empty array
   */
  process(line: LogLine, now: number, live = true, by?: number): readonly Failure[] {
    this.#sign?.begin();
    const hits = this.#find(line, { now, live, by });
    this.#sign?.end();
    return failuresOf(hits);
  }

  /**
   * What to search a log for: of the lines of a block, only those need to be given to `processFound` in which one of these is
   * found. Undefined: every line must be given to `process`. Another array when the filter has learnt better ones.
   * @param sample of the log
   */
  needles(sample: Buffer): readonly Needle[] | undefined {
    return this.#dates.keepsWords ? this.#matcher.needles(sample) : undefined;
  }

  /**
   * As `process`, of a line in a block; the lines of a block must come in their order, and `leave` after them.
   * @param start where it begins in the block
   * @param end where its newline stands
   * @param expressions of the needles that were found in it
   */
  processFound(
    block: Block,
    start: number,
    end: number,
    expressions: readonly number[],
    reading: Reading,
  ): readonly Failure[] {
    if (!this.#mayConcern(block, start, end, expressions)) return noFailures;
    const text = block.line(start, end);
    if (!this.#matcher.mayConcernFound(text)) return noFailures;
    this.#sign?.begin();
    const hits = this.#findInBlock(block, start, end, text, reading);
    this.#sign?.end();
    return failuresOf(hits);
  }

  /** Ends the use of a block. */
  leave(block: Block, reading: Reading): void {
    const to = block.bytes.length;
    if (this.#leftOff < to) this.#dates.skip({ block, from: this.#leftOff, to, reading });
    this.#dates.leave();
    this.#leftOff = 0;
    this.#idleSince = undefined;
  }

  /** As `process`, but tells all: for tools and tests. */
  examine(line: LogLine, now: number): Examination {
    const trace: Trace = { ignoredBy: [], prefixMatched: undefined, prefix: undefined };
    const hits = this.#find(line, { now, live: true }, trace);
    return { ...trace, hits };
  }

  /** Lines that a failregex of several lines may still use. */
  get buffered(): readonly BufferedLine[] {
    return this.#matcher.buffered;
  }

  /** How often each form of dates was found, in the order in which they are tried. */
  get dateHits(): TemplateHits[] {
    return this.#dates.templateHits;
  }

  #find(line: LogLine, reading: Reading, trace?: Trace): readonly Hit[] {
    const { now, live } = reading;
    const parts = cutText(line.text, line.cut, this.#maxLength);
    const text = parts ? parts.head + parts.tail : line.text;
    // To explain is to try everything, however futile.
    const concerned = trace !== undefined || this.#matcher.mayConcern(text);
    if (!concerned && live && this.#dates.pass(line, parts?.head ?? text, now)) return noHits;
    const dated = parts ? this.#dateCut(line, parts, reading) : this.#dates.date(line, `${text}\n`, reading);
    if (!dated || !(concerned || (dated.joined && this.#matcher.mayConcern(dated.line.visible))))
      return noHits;
    return this.#search(dated, text.length, now, performance.now(), undefined, trace);
  }

  #findInBlock(block: Block, start: number, end: number, text: string, reading: Reading): readonly Hit[] {
    if (start > this.#leftOff) this.#dates.skip({ block, from: this.#leftOff, to: start, reading });
    this.#leftOff = end + 1;
    const isLong = text.length - 1 > this.#maxLength;
    const dated = isLong
      ? this.#dateCut(undated, cutText(text.slice(0, -1), undefined, this.#maxLength)!, reading)
      : this.#dates.date(undated, text, reading);
    if (!dated) return noHits;
    const since = (this.#idleSince ??= performance.now());
    const alphabet = !isLong && block.isAscii(start, end) ? 'ascii' : undefined;
    const hits = this.#search(dated, text.length, reading.now, since, alphabet);
    this.#idleSince = this.#done;
    return hits;
  }

  /** Searches a line, unless lines like it have cost too much. @param since when that began, by performance.now() */
  #search(
    { line, time }: DatedLine,
    length: number,
    now: number,
    since: number,
    alphabet?: Alphabet,
    trace?: Trace,
  ): readonly Hit[] {
    this.#done = since;
    if (this.#budget && !this.#budget.begin(length, since)) {
      this.#exceeded('passed-over', this.#culprit, length);
      return noHits;
    }
    const hits = this.#matcher.find(line, time, now, alphabet, trace);
    this.#done = performance.now();
    this.#budget?.end(this.#done);
    if (this.#done - since > slowLine) this.#matcher.distrustSlow(line, slowLine);
    return hits;
  }

  #exceeded(kind: ExceededReport['kind'], expression: string, length: number): void {
    this.#culprit = expression;
    this.#onExceeded?.({ filter: this.name, kind, expression, length });
  }

  /** Looks at what of a line can be told from the rest without looking for its date. */
  #mayConcern(block: Block, start: number, end: number, expressions: readonly number[]): boolean {
    if (end - start > this.#maxLength || !block.isAscii(start, end)) return true;
    const visible = this.#dates.visibleStart(block, start, end);
    return visible === undefined || this.#matcher.mayConcernSome(block, visible, end, expressions);
  }

  /** The date is looked for in the head alone. */
  #dateCut(line: LogTime, { head, tail }: CutText, reading: Reading): DatedLine | undefined {
    const end = `${cutMark}\n`;
    const dated = this.#dates.date(line, head + end, reading);
    if (!dated) return undefined;
    const { visible } = dated.line;
    // A date that reaches over the cut is none.
    const isWhole = visible.endsWith(end);
    const found = isWhole ? dated : this.#dates.date(line, end, reading);
    const beginning = isWhole ? visible.slice(0, -end.length) : head;
    return found && { ...found, line: { visible: `${beginning}${tail}\n`, logged: head + tail } };
  }
}
