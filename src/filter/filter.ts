import { Dock2banError } from '../errors.ts';
import type { LogLine } from '../sources/log-line.ts';
import type { Failure } from './failure.ts';
import { FilterRegex, idGroups, type Captures } from './filter-regex.ts';
import { Finder } from './finder.ts';
import type { Finding, Trace } from './finding.ts';
import type { Block } from './search/block.ts';
import type { BufferedLine } from './buffered-line.ts';
import type { Needle } from './search/needle.ts';
import type { TemplateHits } from './dates/detector.ts';
import { LineDates, type DatedLine, type DateRules, type LogTime, type Reading } from './dates/line-dates.ts';
import type { NameResolver } from './resolver.ts';
import { cutMark, type CutText, cutText, mostForeign, withoutMarks } from './cut-text.ts';
import { SearchBudget, sharedAllowance, type Allowance } from './search-budget.ts';
import type { FilterSpec } from './spec.ts';
import type { WorkSign } from './work-sign.ts';

export interface FilterOptions {
  /** The jail's, in seconds (default 600): lines of before the start that are older don't matter. */
  readonly findtime?: number;
  /** Without it, DNS names in log lines are passed over. */
  readonly resolver?: NameResolver;
  /** Takes the failures whose name was resolved after their line had been processed. */
  readonly onResolved?: (failures: readonly Failure[]) => void;
  /** Told of each line that was too costly. */
  readonly onExceeded?: (report: ExceededReport) => void;
  /** What filters that aren't built in may spend on costly lines together; default: this one alone. */
  readonly allowance?: Allowance;
  /** Shown while a line is looked at. */
  readonly sign?: WorkSign;
  /** For tools that explain a filter: every expression is tried, times stand as logged, names as they are. */
  readonly explain?: boolean;
  /** Whether every expression is tried although one has matched; by default where `explain` is set. */
  readonly everyRegex?: boolean;
  /** Whether names stand as they are; by default where `explain` is set. */
  readonly rawNames?: boolean;
  /** Epoch milliseconds; when the filter is made it tells which years are plausible. */
  readonly clock?: () => number;
}

/** A search that was given up. */
export interface ExceededReport {
  readonly filter: string;
  /**
   * `search`: of one expression, for which the line counts as not matched; `line`: of all, so that the line counts for nothing;
   * `passed-over`: the line wasn't looked at, as lines like it have cost too much.
   */
  readonly kind: 'search' | 'line' | 'passed-over';
  /** `failregex[2]`, `datepattern`: that was searched for then, or the last time. */
  readonly expression: string;
  /** Length of the text. */
  readonly length: number;
}

/** What a filter made of a line, in full. */
export interface Examination extends Trace {
  /** One for each failregex that matched, whether it counts or not. */
  readonly findings: readonly Finding[];
}

/** Milliseconds. */
const slowLine = 15;
const noFailures: readonly Failure[] = [];
/** What nothing but the text is known of. */
const undated: LogTime = { time: undefined, dateRemoved: false };
const noFindings: readonly Finding[] = [];

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
  readonly #finder: Finder;
  readonly #maxLength: number;
  readonly #onExceeded: FilterOptions['onExceeded'];
  readonly #budget: SearchBudget | undefined;
  readonly #sign: WorkSign | undefined;
  /** The expression that cost too much last. */
  #culprit = '';
  /** Up to where the lines of the block at hand are known. */
  #leftOff = 0;
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
      this.#budget = new SearchBudget(options.allowance ?? sharedAllowance());
    this.#dates = new LineDates(rules);
    this.#finder = finderOf(spec, options, explain, this.#budget, (kind, expression, length) =>
      this.#exceeded(kind, expression, length),
    );
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
    const findings = this.#find(line, { now, live, by });
    this.#sign?.end();
    return failuresOf(findings);
  }

  /**
   * What to search a log for: of the lines of a block, only those need to be given to `processFound` in which one of these is
   * found. Undefined: every line must be given to `process`. Another array when the filter has learnt better ones.
   * @param sample of the log
   */
  needles(sample: Buffer): readonly Needle[] | undefined {
    return this.#dates.keepsWords ? this.#finder.needles(sample) : undefined;
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
    if (!this.#finder.mayConcernFound(text)) return noFailures;
    this.#sign?.begin();
    const findings = this.#findInBlock(block, start, end, text, reading);
    this.#sign?.end();
    return failuresOf(findings);
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
    const findings = this.#find(line, { now, live: true }, trace);
    return { ...trace, findings };
  }

  /** Lines that a failregex of several lines may still use. */
  get buffered(): readonly BufferedLine[] {
    return this.#finder.buffered;
  }

  /** How often each form of dates was found, in the order in which they are tried. */
  get dateHits(): TemplateHits[] {
    return this.#dates.templateHits;
  }

  #find(line: LogLine, reading: Reading, trace?: Trace): readonly Finding[] {
    const { now, live } = reading;
    const parts = cutText(line.text, line.cut, this.#maxLength);
    const text = parts ? parts.head + parts.tail : line.text;
    // To explain is to try everything, however futile.
    const concerned = trace !== undefined || this.#finder.mayConcern(text);
    if (!concerned && live && this.#dates.pass(line, parts?.head ?? text, now)) return noFindings;
    const dated = parts ? this.#dateCut(line, parts, reading) : this.#dates.date(line, `${text}\n`, reading);
    if (!dated || !(concerned || (dated.joined && this.#finder.mayConcern(dated.line.visible))))
      return noFindings;
    const start = performance.now();
    if (!this.#begins(text.length, start)) return noFindings;
    const findings = this.#finder.find(dated.line, dated.time, now, undefined, trace);
    const done = performance.now();
    this.#budget?.end(done);
    if (done - start > slowLine) this.#finder.distrustSlow(dated.line, slowLine);
    return findings;
  }

  #findInBlock(block: Block, start: number, end: number, text: string, reading: Reading): readonly Finding[] {
    if (start > this.#leftOff) this.#dates.skip({ block, from: this.#leftOff, to: start, reading });
    this.#leftOff = end + 1;
    const isLong = text.length - 1 > this.#maxLength;
    const dated = isLong
      ? this.#dateCut(undated, cutText(text.slice(0, -1), undefined, this.#maxLength)!, reading)
      : this.#dates.date(undated, text, reading);
    if (!dated) return noFindings;
    this.#idleSince ??= performance.now();
    const alphabet = !isLong && block.isAscii(start, end) ? 'ascii' : undefined;
    if (!this.#begins(text.length, this.#idleSince)) return noFindings;
    const findings = this.#finder.find(dated.line, dated.time, reading.now, alphabet);
    const done = performance.now();
    this.#budget?.end(done);
    if (done - this.#idleSince > slowLine) this.#finder.distrustSlow(dated.line, slowLine);
    this.#idleSince = done;
    return findings;
  }

  /** False: the line isn't to be looked at, for what lines like it cost. */
  #begins(length: number, now: number): boolean {
    if (this.#budget?.begin(length, now) ?? true) return true;
    this.#exceeded('passed-over', this.#culprit, length);
    return false;
  }

  #exceeded(kind: ExceededReport['kind'], expression: string, length: number): void {
    this.#culprit = expression;
    this.#onExceeded?.({ filter: this.name, kind, expression, length });
  }

  /** Looks at what of a line can be told from the rest without looking for its date. */
  #mayConcern(block: Block, start: number, end: number, expressions: readonly number[]): boolean {
    if (end - start > this.#maxLength || !block.isAscii(start, end)) return true;
    const visible = this.#dates.visibleStart(block, start, end);
    return visible === undefined || this.#finder.mayConcernSome(block, visible, end, expressions);
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

function failuresOf(findings: readonly Finding[]): readonly Failure[] {
  if (findings.length === 0) return noFailures;
  return findings.filter(({ counts, id }) => counts && id !== undefined).map(failureOf);
}

function finderOf(
  spec: FilterSpec,
  options: FilterOptions,
  explain: boolean,
  budget: SearchBudget | undefined,
  exceeded: (kind: ExceededReport['kind'], expression: string, length: number) => void,
): Finder {
  const { resolver, onResolved } = options;
  const named = (regex: string, expression: string, multiline = false): FilterRegex =>
    new FilterRegex(regex, {
      where: `${expression} of filter ${spec.name}`,
      names: spec.usedns !== 'no',
      multiline,
      foreign: spec.builtIn !== true,
      onExceeded: (length) => exceeded('search', expression, length),
    });
  const prefregex = spec.prefregex === undefined ? undefined : named(spec.prefregex, 'prefregex');
  const failregex = spec.failregex.map((text, i) => {
    const regex = named(text, `failregex[${i}]`, spec.maxlines > 1);
    requireId(regex, prefregex, `failregex[${i}] of filter ${spec.name}`);
    return regex;
  });
  const lookUp = spec.usedns === 'yes' || spec.usedns === 'warn' ? resolver : undefined;
  return new Finder({
    prefregex,
    failregex,
    ignoreregex: spec.ignoreregex.map((text, i) => named(text, `ignoreregex[${i}]`)),
    maxlines: spec.maxlines,
    budget,
    onSpent: (list, index, length) => exceeded('line', `${list}[${index}]`, length),
    everyRegex: options.everyRegex ?? explain,
    reportPending: explain,
    rawNames: (options.rawNames ?? explain) || spec.usedns === 'raw',
    resolve: (name, late) =>
      lookUp?.lookup(name, (addresses) => onResolved?.(addresses.map((id) => failureOf(late(id))))) ?? [],
  });
}

function requireId(regex: FilterRegex, prefregex: FilterRegex | undefined, where: string): void {
  if (idGroups.some((name) => regex.groupNames.has(name) || prefregex?.groupNames.has(name))) return;
  throw new Dock2banError('regex', `${where} doesn't say whom to ban`, {
    fix: 'mark the address with <HOST> or <ADDR>, another identifier with <F-ID>…</F-ID>',
  });
}

/** Of a finding with an id. */
function failureOf(finding: Finding): Failure {
  return {
    id: finding.id!,
    time: finding.time,
    attempts: 1,
    lines: finding.lines.map((line) => withoutMarks(line.logged)),
    fields: fieldsOf(finding.fields),
  };
}

function fieldsOf(captures: Captures): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const name in captures) {
    const value = captures[name];
    if (value === undefined || value === cutMark) continue;
    fields[name] = withoutMarks(typeof value === 'string' ? value : value.join(' '));
  }
  return fields;
}
