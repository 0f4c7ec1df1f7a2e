import { Dock2banError } from '../errors.ts';
import type { Alphabet } from './python-regex/char-set.ts';
import type { FirstChars } from './python-regex/first-chars.ts';
import { groupsOf, type Match } from './python-regex/match.ts';
import { PythonPattern } from './python-regex/pattern.ts';
import type { Clause } from './python-regex/required-literals.ts';
import { RegexError } from './python-regex/syntax.ts';
import { cutMark, matchBesideMarks } from './lines/cut-text.ts';
import { cutGroup, groupOfTag, resolveTags } from './tags.ts';

/** What a group captured; several parts where `<F-TUPLE_…>` combines them. */
export type Capture = string | readonly (string | undefined)[];

/** Captures by group name, with an entry for each group of the expression. */
export type Captures = Record<string, Capture | undefined>;

export interface RegexContext {
  /** `failregex[2] of filter sshd`, for messages. */
  readonly where: string;
  /** Whether `<HOST>` may be a DNS name. */
  readonly names: boolean;
  /** Whether `^` and `$` match at each line of the text. */
  readonly multiline: boolean;
  /** See PatternOptions. */
  readonly foreign?: boolean | undefined;
  /** Called when a search was given up for its cost, with the length of the text. */
  readonly onExceeded?: ((length: number) => void) | undefined;
}

/** Groups that tell whom a failure concerns; `<F-MLFID>` through the session that it names. */
export const idGroups = ['fid', 'ip4', 'ip6', 'dns', 'mlfid'] as const;

/** A failregex, prefregex or ignoreregex, compiled. */
export class FilterRegex {
  readonly requiredLiterals: readonly Clause[];
  readonly firstChars: FirstChars | undefined;
  readonly #pattern: PythonPattern;
  readonly #multiline: boolean;
  readonly #cutGroups: readonly string[];
  readonly #alternates: readonly (readonly [group: string, target: string])[];
  readonly #tuples: readonly (readonly [group: string, target: string])[];

  /** @throws Dock2banError `regex`: which expression, construct and position, and what to do */
  constructor(regex: string, context: RegexContext) {
    if (regex.trim() === '')
      throw new Dock2banError('regex', `${context.where} is empty`, {
        fix: 'remove it or write an expression',
      });
    const { source, origin } = resolveTags(regex, context.names, context.foreign === false);
    this.#multiline = context.multiline;
    const goesOverCuts = source.includes(`(?P<${cutGroup}`);
    try {
      this.#pattern = new PythonPattern(scopeInnerFlags(source), {
        multiline: context.multiline,
        onExceeded: context.onExceeded,
        foreign: context.foreign,
        spares: goesOverCuts ? cutMark : undefined,
      });
    } catch (cause) {
      throw unusable(regex, context.where, cause, origin);
    }
    this.requiredLiterals = this.#pattern.requiredLiterals;
    this.firstChars = this.#pattern.firstChars;
    this.#cutGroups = [...this.groupNames].filter((name) => name.startsWith(cutGroup));
    this.#alternates = this.#complexGroups('alt_');
    this.#tuples = this.#complexGroups('tuple_');
  }

  /** Whether a match says nothing but that the session that the prefregex named has ended, and without a failure. */
  get onlyEndsSession(): boolean {
    const { sureGroups, groupNames } = this.#pattern;
    const isFailure = !sureGroups.has('nofail') && !sureGroups.has('mlfgained');
    return !isFailure && sureGroups.has('mlfforget') && !groupNames.has('mlfid');
  }

  /** Whether whatever is matched begins with the id of a session, at the begin of the text. */
  get beginsWithSession(): boolean {
    const others = [...this.#alternates, ...this.#tuples].some(([, target]) => target === 'mlfid');
    return this.#pattern.leadingGroup === 'mlfid' && !others;
  }

  get groupNames(): ReadonlySet<string> {
    return this.#pattern.groupNames;
  }

  /**
   * Searches at a bounded cost from now on, be it at a lower speed, if a search of this text takes longer than that.
   * @param limit milliseconds
   */
  distrustIfSlow(text: string, alphabet: Alphabet, limit: number): void {
    this.#pattern.distrustIfSlow(text, alphabet, limit);
  }

  /** Finds the first match that has nothing to do with what was left out of the text, unless the expression says so. */
  search(text: string, alphabet: Alphabet): Match | undefined {
    const match = this.#pattern.search(text, alphabet);
    // In ASCII text nothing was left out.
    if (!match || alphabet === 'ascii' || !text.includes(cutMark) || this.#goesOverCut(match)) return match;
    const again = (rest: string): Match | undefined => this.#pattern.search(rest, 'unicode');
    return matchBesideMarks(match, text, this.#pattern.reach, this.#multiline ? undefined : again);
  }

  #goesOverCut(match: Match): boolean {
    if (this.#cutGroups.length === 0) return false;
    const groups = groupsOf(match);
    return this.#cutGroups.some((name) => groups[name] !== undefined);
  }

  /** A record without captures, to be copied and then filled. */
  blank(): Captures {
    const targets = [...this.#alternates, ...this.#tuples].map(([, target]) => target);
    return Object.fromEntries([...this.groupNames, ...targets].map((name) => [name, undefined]));
  }

  /** Sets the captures of a match, with `<F-ALT_X>` filled into an empty X and `<F-TUPLE_X>` added to it. */
  captureInto(captures: Captures, match: Match): void {
    match.captureInto(captures);
    for (const [group, target] of this.#alternates) {
      const value = captures[group];
      if (value && !captures[target]) captures[target] = value;
    }
    for (const [group, target] of this.#tuples) {
      captures[target] = [...partsOf(captures[target]), ...partsOf(captures[group])];
    }
  }

  #complexGroups(prefix: string): (readonly [string, string])[] {
    const form = new RegExp(`^${prefix}(.*?)(?:_\\d+)?$`);
    return [...this.#pattern.groupNames].toSorted().flatMap((name) => {
      const target = form.exec(name)?.[1];
      return target === undefined ? [] : [[name, groupOfTag(target)] as const];
    });
  }
}

function partsOf(capture: Capture | undefined): readonly (string | undefined)[] {
  return typeof capture === 'object' ? capture : [capture];
}

/** `((?i)x)` and `(?:(?i)x)`, which Python no longer takes but filters use, become `(?i:x)`, as in fail2ban. */
function scopeInnerFlags(source: string): string {
  return source.replace(/(?<!\\)\((?:\?:)?(\(\?[a-z]+)\)/g, '$1:');
}

function unusable(regex: string, where: string, cause: unknown, origin: (offset: number) => number): unknown {
  if (!(cause instanceof RegexError)) {
    // What passed our parser and still fails in V8 is too large, or nested too deeply, for it.
    if (!(cause instanceof SyntaxError || cause instanceof RangeError)) return cause;
    return new Dock2banError('regex', `${where} can't be compiled: ${cause.message}: ${regex}`, {
      fix: 'simplify the expression',
      cause,
    });
  }
  const at = origin(cause.position);
  return new Dock2banError(
    'regex',
    `${where} can't be used: ${cause.message}: ${cause.construct} at position ${at} of ${regex}`,
    { fix: `correct the expression around: ${regex.slice(Math.max(0, at - 10), at + 20)}`, cause },
  );
}
