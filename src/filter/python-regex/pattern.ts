import {
  boundedSearch,
  hasNestedLoops,
  ownSearch,
  type BoundedSearch,
  type OwnSearch,
} from './bounded-search.ts';
import type { Alphabet } from './char-set.ts';
import type { Match, SpannedMatch } from './match.ts';
import { firstChars, type FirstChars } from './first-chars.ts';
import { forgottenGroups } from './loop-captures.ts';
import { parseExpression } from './parser.ts';
import { quickLength } from './quick-length.ts';
import { reachOf } from './reach.ts';
import { requiredLiterals, type Clause } from './required-literals.ts';
import { Searcher } from './searcher.ts';
import { sparing } from './sparing.ts';
import { sizeOf } from './size.ts';
import { leadingGroup, sureGroups } from './sure-groups.ts';
import { noFlags, RegexError, type Expression, type Flags } from './syntax.ts';
import { translate } from './translate.ts';

// eslint-disable-next-line no-control-regex -- ASCII is just that range
const beyondAscii = /[^\x00-\x7f]/;

/** The smallest alphabet that a text is written in. */
export function alphabetOf(text: string): Alphabet {
  return beyondAscii.test(text) ? 'unicode' : 'ascii';
}

export interface PatternOptions extends Partial<Flags> {
  /** Called when a search was given up for its cost, with the length of the text. */
  readonly onExceeded?: ((length: number) => void) | undefined;
  /**
   * Whether the expression is somebody's who may wish us ill: no search of it then costs more than the bound, be the text short.
   */
  readonly foreign?: boolean | undefined;
  /** A character that neither `.` nor a negated set takes. */
  readonly spares?: string | undefined;
}

/** Steps of V8's linear engine, of which a search takes an expression's size for each character at most: some 100 ns each. */
const maxLinearSteps = 16_000_000;
/** A larger one takes too long to compile, or too much memory. */
const maxSize = 100_000;
/** Up to this length V8's backtracking engine is quick whatever the text, or shows itself unfit before it does harm. */
const shortText = 1024;

/** A Python regular expression (`re.compile` of a str pattern) that searches JavaScript strings at a bounded cost. */
export class PythonPattern {
  /** Names of its groups. */
  readonly groupNames: ReadonlySet<string>;
  readonly requiredLiterals: readonly Clause[];
  readonly firstChars: FirstChars | undefined;
  /** Names of the groups that capture something in every match. */
  readonly sureGroups: ReadonlySet<string>;
  /** Name of a group that every match begins with, at the begin of the text. */
  readonly leadingGroup: string | undefined;
  readonly #expression: Expression;
  readonly #searchers: Partial<Record<Alphabet, Searcher>> = {};
  readonly #bounded: Partial<Record<Alphabet, BoundedSearch>> = {};
  /** Finds what V8 forgets: captures of earlier rounds of a loop. */
  readonly #recapture: BoundedSearch | undefined;
  readonly #onExceeded: ((length: number) => void) | undefined;
  #shortText = shortText;
  #reach: number | undefined;
  /** Above this length a stranger's expression is left to our own engine, which can give up. */
  #linearLength = Infinity;
  #own: BoundedSearch | undefined;

  /** @throws RegexError for what Python would refuse, or JavaScript can't do */
  constructor(source: string, { onExceeded, foreign = false, spares, ...flags }: PatternOptions = {}) {
    const parsed = parseExpression(source, { ...noFlags, ...flags });
    this.#expression =
      spares === undefined ? parsed : { ...parsed, root: sparing(parsed.root, spares.charCodeAt(0)) };
    this.#onExceeded = onExceeded;
    const size = sizeOf(this.#expression.root);
    if (size > maxSize) throw new RegexError('the expression is too large', source.slice(0, 50), 0);
    this.groupNames = new Set(this.#expression.names.keys());
    this.requiredLiterals = requiredLiterals(this.#expression.root);
    this.firstChars = firstChars(this.#expression.root);
    const sure = sureGroups(this.#expression.root);
    const { names } = this.#expression;
    const leading = leadingGroup(this.#expression.root);
    this.leadingGroup = [...names].find(([, group]) => group === leading)?.[0];
    this.sureGroups = new Set([...names].filter(([, group]) => sure.has(group)).map(([name]) => name));
    if (!this.#translates()) return;
    const forgotten = forgottenGroups(this.#expression.root);
    const named = [...this.#expression.names.values()];
    if (named.some((group) => forgotten.has(group))) this.#recapture = ownSearch(this.#expression);
    const { root } = this.#expression;
    const quick = foreign ? quickLength(root) : hasNestedLoops(root) ? -1 : shortText;
    if (foreign) {
      this.#linearLength = Math.max(quick, Math.floor(maxLinearSteps / size));
      this.#shortText = Math.min(shortText, this.#linearLength);
    }
    // V8 itself goes over to its linear engine where that takes the expression.
    if (quick < shortText && !this.#boundedSearch('ascii').linear) this.#shortText = quick;
  }

  /** How far beyond a match it looks, in UTF-16 units. */
  get reach(): number {
    return (this.#reach ??= reachOf(this.#expression.root));
  }

  /** False: V8 can't do what the expression asks for, but our own engine can. */
  #translates(): boolean {
    try {
      this.#searcher('ascii');
      return true;
    } catch (error) {
      const own = ownSearch(this.#expression);
      if (own.search('') === 'exceeded') throw error;
      this.#bounded.ascii = own;
      this.#bounded.unicode = own;
      this.distrust();
      return false;
    }
  }

  /** Never uses an engine again whose cost may get out of hand. */
  distrust(): void {
    this.#shortText = -1;
  }

  /**
   * Does so if a search of this text, which took part in something slow, is slow once more.
   * @param limit milliseconds
   */
  distrustIfSlow(text: string, alphabet: Alphabet, limit: number): void {
    if (text.length > this.#shortText) return;
    const start = performance.now();
    this.search(text, alphabet);
    if (performance.now() - start > limit) this.distrust();
  }

  /**
   * Finds the leftmost match, as `Pattern.search` does.
   * @param alphabet of the text, from `alphabetOf`
   */
  search(text: string, alphabet: Alphabet): Match | undefined {
    const match =
      text.length > this.#shortText
        ? this.#searchBounded(text, alphabet)
        : (this.#searchers[alphabet] ?? this.#searcher(alphabet)).search(text, 0);
    if (!match || !this.#recapture) return match;
    const complete = this.#recapture.search(text);
    return typeof complete === 'object' ? complete : match;
  }

  #searchBounded(text: string, alphabet: Alphabet): Match | undefined {
    const own = text.length > this.#linearLength;
    const search = own ? (this.#own ??= ownSearch(this.#expression)) : this.#boundedSearch(alphabet);
    const found = search.search(text);
    if (found !== 'exceeded') return found;
    this.#onExceeded?.(text.length);
    return undefined;
  }

  #boundedSearch(alphabet: Alphabet): BoundedSearch {
    return (this.#bounded[alphabet] ??= boundedSearch(this.#expression, alphabet));
  }

  #searcher(alphabet: Alphabet): Searcher {
    return (this.#searchers[alphabet] = new Searcher(this.#expression, alphabet, ''));
  }
}

/** The groups whose place is wanted; `tail`: group 1, which ends where the match ends. */
export type Spans = readonly number[] | 'tail';

/** A Python regular expression that finds out where some of its groups stand. */
export class SpanPattern {
  readonly #expression: Expression;
  readonly #spans: Spans;
  readonly #firstChars: FirstChars | undefined;
  readonly #searchers: Partial<Record<Alphabet, Searcher>> = {};
  /** Longer texts are left to our own engine. */
  readonly #shortText: number;
  #own: OwnSearch | undefined;
  /** What the last search cost at most, as a part of what one may cost: some 15 ms. */
  cost = 0;

  /**
   * @param bounded whether the cost of a search must have a bound, as the expression isn't our own
   * @throws RegexError for what Python would refuse, or JavaScript can't do
   */
  constructor(source: string, spans: Spans, bounded: boolean) {
    this.#expression = parseExpression(source);
    this.#spans = spans;
    this.#firstChars = firstChars(this.#expression.root);
    this.#shortText = bounded ? quickLength(this.#expression.root) : Infinity;
    // Our own have no mistakes, and most are never needed.
    if (bounded) this.#searcher('ascii');
  }

  /**
   * Finds the leftmost match at or behind `from`; anchors and lookbehinds see the whole text.
   * @returns `exceeded`: the search was given up for its cost
   */
  search(text: string, alphabet: Alphabet, from: number): SpannedMatch | 'exceeded' | undefined {
    if (this.#firstChars?.[text.charCodeAt(0)] === false && from === 0) return undefined;
    if (text.length > this.#shortText) {
      const own = (this.#own ??= ownSearch(this.#expression));
      const match = own.search(text, from);
      this.cost = own.cost;
      return match;
    }
    this.cost = text.length / this.#shortText;
    return (this.#searchers[alphabet] ?? this.#searcher(alphabet)).search(text, from);
  }

  /** The same expression, that begins with `^`, for the end of its match alone. */
  lead(): LeadPattern {
    return new LeadPattern(this.#expression, this.#shortText);
  }

  #searcher(alphabet: Alphabet): Searcher {
    return (this.#searchers[alphabet] = new Searcher(
      this.#expression,
      alphabet,
      this.#spans === 'tail' ? 'g' : 'dg',
      this.#spans === 'tail' ? [1] : this.#spans,
    ));
  }
}

/** A Python regular expression that begins with `^`, of which only the end of the match is wanted, and that quickly. */
export class LeadPattern {
  readonly #regex: RegExp;
  readonly #longest: number;

  /** @param longest text that is looked at */
  constructor({ root }: Expression, longest: number) {
    this.#regex = new RegExp(translate(root, 'ascii', []).source, 'y');
    this.#longest = longest;
  }

  /** Undefined: no match, or the text is too long, or begins with neither an ASCII letter nor a digit, or non-ASCII text follows. */
  end(text: string): number | undefined {
    const first = text.charCodeAt(0);
    const plain =
      (first >= 0x30 && first <= 0x39) ||
      (first >= 0x41 && first <= 0x5a) ||
      (first >= 0x61 && first <= 0x7a);
    this.#regex.lastIndex = 0;
    if (!plain || text.length > this.#longest || !this.#regex.test(text)) return undefined;
    const end = this.#regex.lastIndex;
    return text.charCodeAt(end) > 0x7f ? undefined : end;
  }
}
