import type { Block } from './search/block.ts';
import type { BufferedLine } from './lines/buffered-line.ts';
import type { Captures } from './filter-regex.ts';
import type { Hit, Trace } from './hit.ts';
import { FirstCharDispatch } from './search/first-char-dispatch.ts';
import { addressInName, identify, restoreAddress, type Identity } from './identify.ts';
import { LiteralGate } from './search/literal-gate.ts';
import { needlesOf, type Needle } from './search/needle.ts';
import type { MatcherRules } from './matcher-rules.ts';
import { Sieve } from './search/sieve.ts';
import { splitLines, type LineSplit } from './lines/matched-lines.ts';
import type { Alphabet } from './python-regex/char-set.ts';
import { isSet, newDraft, Sessions, type Draft } from './sessions.ts';
import { View, viewOf } from './lines/view.ts';

const none: readonly Hit[] = [];
/** Characters. */
const shortText = 1024;
const noLines: readonly BufferedLine[] = [];

/**
 * Applies a filter's expressions to one line after the other, as fail2ban does (1.0, server/filter.py, `findFailure`),
 * with the lines before it and the sessions that are open.
 */
export class LineMatcher {
  readonly #rules: MatcherRules;
  readonly #sessions = new Sessions();
  readonly #prefixGate: LiteralGate;
  readonly #gates: readonly LiteralGate[];
  readonly #prefixNeedles: readonly Needle[] | undefined;
  readonly #sieve: Sieve;
  readonly #dispatch: FirstCharDispatch;
  readonly #onlyEndsSession: readonly boolean[];
  /** Whether a line begins with the id of its session. */
  readonly #sessionsLead: boolean;
  /** What the prefregex captured of the line at hand. */
  readonly #prefix: Captures;
  /** The captures of the prefregex that go into every failure. */
  readonly #prefixNames: readonly string[];
  /** For each failregex a record of the captures that a failure has, without any: copies of it are quick to fill. */
  readonly #blanks: readonly Captures[];
  #buffer: readonly BufferedLine[] = [];

  constructor(rules: MatcherRules) {
    this.#rules = rules;
    this.#prefixGate = new LiteralGate(rules.prefregex?.requiredLiterals ?? []);
    this.#gates = rules.failregex.map((regex) => new LiteralGate(regex.requiredLiterals));
    this.#sieve = new Sieve(this.#gates);
    const prefixNeedles = needlesOf(this.#prefixGate.clauses, () => 0);
    this.#prefixNeedles = prefixNeedles?.map((text) => ({ text, expressions: [] }));
    const { maxlines, everyRegex, failregex } = rules;
    this.#onlyEndsSession = failregex.map((regex) => maxlines === 1 && !everyRegex && regex.onlyEndsSession);
    this.#sessionsLead = rules.prefregex?.beginsWithSession ?? false;
    this.#prefix = rules.prefregex?.blank() ?? {};
    const { content: _, ...common } = this.#prefix;
    this.#prefixNames = Object.keys(common);
    this.#blanks = rules.failregex.map((regex) => ({ ...common, ...regex.blank() }));
    // What is searched changes while the lines of a buffer get used up.
    const oneText = rules.maxlines === 1;
    this.#dispatch = new FirstCharDispatch(
      rules.failregex.map(({ firstChars }) => (oneText ? firstChars : undefined)),
    );
  }

  /**
   * False: `find` would give nothing and remember nothing.
   * @param text what failregex would see of the line, or more
   */
  mayConcern(text: string): boolean {
    if (this.#rules.maxlines > 1) return true;
    return this.#prefixGate.admits(text) && this.#sieve.admits(text);
  }

  /**
   * What to search a log for instead of asking `mayConcern` of each line; undefined: there is nothing. See needlesOf.
   * @param sample of the log
   */
  needles(sample: Buffer): readonly Needle[] | undefined {
    return this.#rules.maxlines > 1 ? undefined : (this.#sieve.needles(sample) ?? this.#prefixNeedles);
  }

  /** As `mayConcern`, of a line in which one of the needles was found. */
  mayConcernFound(text: string): boolean {
    const needles = this.#prefixNeedles;
    return needles === undefined || needles.some((needle) => text.includes(needle.text));
  }

  /**
   * As `mayConcern`, of a line in which needles of these expressions were found, and no others.
   * @param start where in the block what failregex would see of the line begins
   * @param end where its newline stands
   */
  mayConcernSome(block: Block, start: number, end: number, expressions: readonly number[]): boolean {
    if (expressions.length === 0) return true;
    let text: string | undefined;
    let mayEnd = false;
    for (const index of expressions) {
      if (this.#sessionsLead && this.#onlyEndsSession[index]) mayEnd = true;
      else if (this.#gates[index]!.admits((text ??= block.line(start, end)))) return true;
    }
    if (!mayEnd && text !== undefined) this.#sieve.noteFalsePositive(text);
    return mayEnd && this.#sessions.mayBeginAt(block.bytes, start);
  }

  /** Lines that a failregex of several lines may still use. */
  get buffered(): readonly BufferedLine[] {
    return this.#buffer;
  }

  /**
   * Makes the expressions that are slow on a line search at a bounded cost from now on. They are tried once more, as it
   * may have been the garbage collector, or another process.
   * @param limit milliseconds
   */
  distrustSlow(line: BufferedLine, limit: number): void {
    const { prefregex, failregex, ignoreregex } = this.#rules;
    const view = new View(line.visible, [line]);
    for (const regex of [...failregex, ...ignoreregex, ...(prefregex ? [prefregex] : [])])
      regex.distrustIfSlow(view.text, view.alphabet, limit / 2);
  }

  /**
   * @param time of the line, epoch milliseconds
   * @param alphabet of the line; undefined: to be found out
   * @param trace filled with what happened, if given
   */
  find(line: BufferedLine, time: number, now: number, alphabet?: Alphabet, trace?: Trace): readonly Hit[] {
    const { maxlines, prefregex, failregex, ignoreregex } = this.#rules;
    if (maxlines > 1) this.#buffer = [...this.#buffer, line].slice(-maxlines);
    const original = maxlines > 1 ? this.#buffer : [line];
    const whole = maxlines > 1 ? viewOf(original) : new View(line.visible, original, alphabet);
    // With few ignoreregexes fail2ban asks them first, of the whole line. Where no line is buffered, that can wait for a match.
    const ignoreFirst = ignoreregex.length > 0 && ignoreregex.length < failregex.length - 2;
    const atOnce = maxlines > 1 || trace !== undefined;
    if (ignoreFirst && atOnce && this.#ignores(whole, trace)) return none;
    const ignorable = ignoreFirst && !atOnce ? whole : undefined;

    let view = whole;
    let common: Captures | undefined;
    if (prefregex) {
      const match = this.#prefixGate.admits(view.text)
        ? prefregex.search(view.text, view.alphabet)
        : undefined;
      if (trace) trace.prefixMatched = match !== undefined;
      if (!match) return none;
      common = this.#prefix;
      prefregex.captureInto(common, match);
      if (trace) trace.prefix = { ...common };
      const { content } = common;
      if (isSet(content)) view = this.#narrowed(String(content), whole);
    }
    return this.#findInView(view, ignorable, common, time, now, trace);
  }

  /** What prefregex captured as content stands for the line from here on. */
  #narrowed(content: string, whole: View): View {
    const { text } = whole;
    // Most often it is the rest of the line, of which no copy needs to be made.
    const start = text.length - 1 - content.length;
    const visible = text.slice(start, -1) === content ? text.slice(start) : `${content}\n`;
    if (this.#rules.maxlines > 1) this.#buffer = [{ visible, logged: content }];
    return new View(visible, whole.original, whole.alphabet);
  }

  #findInView(
    first: View,
    ignorable: View | undefined,
    common: Captures | undefined,
    time: number,
    now: number,
    trace: Trace | undefined,
  ): readonly Hit[] {
    const { failregex, ignoreregex, maxlines, everyRegex } = this.#rules;
    let view = first;
    let hits: Hit[] | undefined;
    let admitted = false;
    let searches = 0;
    const candidates = this.#dispatch.of(view.text);
    for (const index of candidates) {
      if (!this.#gates[index]!.admits(view.text)) continue;
      admitted = true;
      if (!trace && this.#isIdle(index, candidates, view.text, common, now)) return none;
      if (this.#isSpent('failregex', index, ++searches, view.text)) return none;
      const regex = failregex[index]!;
      const match = regex.search(view.text, view.alphabet);
      if (!match) continue;
      if (ignorable && this.#ignores(ignorable, trace)) return none;
      const split =
        maxlines > 1
          ? splitLines(match, view.text, view.original)
          : { matched: view.original, unmatched: noLines };
      if (ignoreregex.length > 0 && this.#ignores(maxlines > 1 ? viewOf(split.matched) : view, trace)) {
        if (maxlines > 1) view = this.#keep(split, view);
        if (!everyRegex) break;
        continue;
      }
      if (maxlines > 1) view = this.#keep(split, view);
      const fields = { ...this.#blanks[index]! };
      if (common) for (const name of this.#prefixNames) fields[name] = common[name];
      regex.captureInto(fields, match);
      if (common) restoreAddress(fields, common);
      const draft = this.#draft(fields, split.matched, now);
      if (isSet(draft.fields['nofail']) && fields['mlfid'] !== undefined && !everyRegex) break;
      const identity = identify(draft.fields);
      // Neither address nor session: fail2ban drops the match and tries the next expression.
      if (identity.kind === 'unknown' && fields['mlfid'] === undefined) continue;
      const found = this.#report(draft, identity, index, time);
      if (found.length > 0) (hits ??= []).push(...found);
      if (!everyRegex) break;
    }
    if (!admitted) this.#sieve.noteFalsePositive(first.original[0]!.logged);
    return hits ?? none;
  }

  /** Whether an expression, the last that may match, could only end a session, and that isn't open. */
  #isIdle(
    index: number,
    candidates: readonly number[],
    text: string,
    common: Captures | undefined,
    now: number,
  ): boolean {
    if (!this.#onlyEndsSession[index]) return false;
    const session = common?.['mlfid'];
    if (session === undefined || this.#sessions.has(String(session), now)) return false;
    return !candidates.some((other) => other > index && this.#gates[other]!.admits(text));
  }

  /** Whether the line has cost too much: it counts for nothing then. */
  #isSpent(list: 'failregex' | 'ignoreregex', index: number, searches: number, { length }: string): boolean {
    const { budget, onSpent } = this.#rules;
    if (!budget || (searches % budget.searchesToLook !== 0 && length <= shortText)) return false;
    if (!budget.isSpent) return false;
    onSpent(list, index, length);
    return true;
  }

  #ignores(view: View, trace: Trace | undefined): boolean {
    const { ignoreregex, everyRegex } = this.#rules;
    let ignored = false;
    for (const [index, regex] of ignoreregex.entries()) {
      if (this.#isSpent('ignoreregex', index, index + 1, view.text)) return true;
      if (!regex.search(view.text, view.alphabet)) continue;
      ignored = true;
      trace?.ignoredBy.push(index);
      if (!everyRegex) break;
    }
    return ignored;
  }

  /** Leaves the lines that a match didn't use in the buffer. */
  #keep(split: LineSplit, view: View): View {
    this.#buffer = split.unmatched;
    return viewOf(this.#buffer, view.original);
  }

  #draft(fields: Captures, lines: readonly BufferedLine[], now: number): Draft {
    const session = fields['mlfid'];
    if (session !== undefined) return this.#sessions.merge(String(session), newDraft(fields), lines, now);
    const draft = newDraft(fields);
    draft.matches = lines;
    return draft;
  }

  #report(draft: Draft, identity: Identity, regex: number, time: number): readonly Hit[] {
    const { rawNames, reportPending, resolve } = this.#rules;
    const hit = (id: string | undefined, ip?: string): Hit => ({
      regex,
      id,
      ip,
      time,
      counts: !isSet(draft.fields['nofail']),
      // Sessions go on changing what is reported now.
      fields: reportPending ? { ...draft.fields } : draft.fields,
      users: reportPending && draft.users ? new Set(draft.users) : draft.users,
      lines: draft.matches ?? [],
    });
    switch (identity.kind) {
      case 'id':
        return [hit(identity.id, identity.ip)];
      case 'unknown':
        draft.pending = true;
        return reportPending ? [hit(undefined)] : none;
      case 'name': {
        if (rawNames) return [hit(identity.name)];
        const address = addressInName(identity.name);
        if (address !== undefined) return [hit(address)];
        const then = { ...hit(undefined), fields: { ...draft.fields } };
        const known = resolve(identity.name, (id) => ({ ...then, id }));
        return known.map((id) => ({ ...then, id }));
      }
    }
  }
}
