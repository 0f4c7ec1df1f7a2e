import type { Clause } from '../python-regex/required-literals.ts';

/** A string to search the bytes of a log for. */
export interface Needle {
  readonly text: string;
  /** Indexes of the expressions that it is a needle of; none: all need it. */
  readonly expressions: readonly number[];
}

/** How often a string occurs in a part of the log. */
export type Frequency = (text: string) => number;

/** Shorter ones are in too many lines to be worth a search. */
const shortest = 3;

/** An ASCII character, and letters, digits and underscores behind it. */
const piece = /[\x00-\x7f][0-9A-Za-z_]*/g;

/**
 * What to search the bytes of a log for instead of one of the clauses that a match requires, before lines are cut and their
 * dates cut out: one of these strings is in every line that has one of the clause's when its date is gone. It is the rarest
 * choice. Undefined: none that is worth it.
 *
 * Where a date was cut out, what stood behind it begins with no word character (`DateTemplate.endsAtWord`), so a piece that has
 * such a character at most at its begin was in one piece before. Only ASCII is the same bytes in every encoding.
 */
export function needlesOf(clauses: readonly Clause[], frequency: Frequency): readonly string[] | undefined {
  let best: readonly string[] | undefined;
  let rarest = Infinity;
  for (const clause of clauses) {
    const needles = clause.map((literal) => rarestPiece(literal, frequency));
    if (!needles.every((needle) => needle !== undefined)) continue;
    const total = needles.reduce((sum, needle) => sum + frequency(needle), 0);
    if (total >= rarest) continue;
    best = needles;
    rarest = total;
  }
  return best;
}

/** The longest of those that are equally rare. */
function rarestPiece(literal: string, frequency: Frequency): string | undefined {
  const pieces = (literal.match(piece) ?? []).filter((text) => text.length >= shortest);
  const [best] = pieces.toSorted((a, b) => frequency(a) - frequency(b) || b.length - a.length);
  return best;
}

/** Of what is asked for again, the answer is remembered. */
export function frequencyIn(sample: Buffer): Frequency {
  const known = new Map<string, number>();
  return (text) => {
    let count = known.get(text);
    if (count === undefined) {
      count = 0;
      for (let at = -1; (at = sample.indexOf(text, at + 1, 'latin1')) >= 0;) count += 1;
      known.set(text, count);
    }
    return count;
  };
}
