import type { Clause } from './python-regex/required-literals.ts';

/** Shorter ones are in too many lines to be worth a search. */
const shortest = 3;

/** An ASCII character, and letters, digits and underscores behind it. */
const piece = /[\x00-\x7f][0-9A-Za-z_]*/g;

/**
 * What to search the bytes of a log for instead of a clause, before its lines are cut and their dates cut out: one of these
 * strings is in every line that has one of the clause's when its date is gone. Undefined: none that is worth it.
 *
 * Where a date was cut out, what stood behind it begins with no word character (`DateTemplate.endsAtWord`), so a piece that has
 * such a character at most at its begin was in one piece before. Only ASCII is the same bytes in every encoding.
 */
export function needlesOf(clause: Clause): readonly string[] | undefined {
  const needles = clause.map((literal) => longest(literal.match(piece) ?? []));
  return needles.every((needle) => needle.length >= shortest) ? needles : undefined;
}

function longest(texts: readonly string[]): string {
  return texts.reduce((best, text) => (text.length > best.length ? text : best), '');
}
