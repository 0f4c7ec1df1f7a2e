import { Dock2banError, messageOf } from '../../errors.ts';
import type { Alphabet } from '../python-regex/char-set.ts';
import { groupsOf, type SpannedMatch } from '../python-regex/match.ts';
import { SpanPattern, type LeadPattern } from '../python-regex/pattern.ts';
import { endsAtWord } from './ends-at-word.ts';
import { boundTemplate, type Boundary } from './template-bounds.ts';
import { timeOf, type DateContext } from './strptime.ts';

/** A form of dates that a log may be written in. */
export interface DateTemplate {
  /** The pattern with words for its codes; two of the same name are the same. */
  readonly name: string;
  /** The pattern as written; undefined for the epoch forms. */
  readonly pattern: string | undefined;
  /** The Python regular expression that finds it. */
  readonly expression: string;
  /** It can only match at the begin or end of a line. */
  readonly anchored: boolean;
  readonly lineBegin: boolean;
  /** Behind its dates no word character stands, or nothing stands before them: cutting one out joins no word with another. */
  readonly endsAtWord: boolean;
  /** What it finds at the begin of a line depends on nothing behind the first word behind the date. */
  readonly nearSighted: boolean;
  /** How much its hits count when templates are put in order. */
  readonly weight: number;
  /** What the last `find` cost at most, as a part of what one may cost; 0 for the default templates. */
  readonly cost: number;
  /** @returns `exceeded`: the search was given up for its cost */
  find(line: string, alphabet: Alphabet, from: number): SpannedMatch | 'exceeded' | undefined;
  /**
   * Where the date ends, if the line begins with it: quicker than `find`, and for templates whose whole match is cut out.
   * Undefined: no such date, or `find` has to tell.
   */
  leadingEnd(line: string): number | undefined;
  /** The time of what was found, epoch milliseconds; undefined if there is no such date. */
  time(match: SpannedMatch, line: string, context: DateContext): number | undefined;
}

export interface TemplateParts {
  readonly name: string;
  readonly pattern: string | undefined;
  /** A Python regular expression; group 1 is what is cut out of the line. */
  readonly expression: string;
  readonly boundary: Boundary;
  /** Whether somebody else wrote the expression, so that its cost must be bounded. */
  readonly foreign: boolean;
  /** Reads the time, given the place of a group. */
  readonly time: DateTemplate['time'];
}

/** @throws Dock2banError `datepattern` if the expression can't be used */
export function createTemplate(parts: TemplateParts): DateTemplate {
  const { expression, lineBegin, lineEnd, marked, whole, boundEnd } = boundTemplate(
    parts.expression,
    parts.boundary,
  );
  let compiled: SpanPattern | undefined;
  let leading: LeadPattern | undefined;
  const compile = (): SpanPattern => {
    try {
      return new SpanPattern(expression, whole ? 'tail' : [1, 2], parts.foreign);
    } catch (cause) {
      throw new Dock2banError(
        'datepattern',
        `datepattern ${parts.pattern ?? parts.name} can't be used: ${messageOf(cause)}`,
        {
          fix: 'it is a Python regular expression with strptime codes; a literal percent sign is %%',
          cause,
        },
      );
    }
  };
  return {
    name: marked && !parts.name.startsWith(lineBegins) ? lineBegins + parts.name : parts.name,
    pattern: parts.pattern,
    expression,
    anchored: lineBegin || lineEnd,
    lineBegin,
    endsAtWord: endsAtWord(parts.pattern ?? parts.name, boundEnd) || (lineBegin && !marked && whole),
    nearSighted: false,
    get cost() {
      return compiled?.cost ?? 0;
    },
    weight: 1,
    find: (line, alphabet, from) => (compiled ??= compile()).search(line, alphabet, from),
    leadingEnd: (line) =>
      marked && whole ? (leading ??= (compiled ??= compile()).lead()).end(line) : undefined,
    time: parts.time,
  };
}

/** The mark of a pattern that is only looked for at the begin of a line, behind two other characters at most. */
export const lineBegins = '{^LN-BEG}';

/** Reads the fields of a date pattern. */
export const fieldsTime: DateTemplate['time'] = (match, _line, context) => timeOf(groupsOf(match), context);
