import type { Clause } from '../python-regex/required-literals.ts';

/**
 * Turns away texts that lack what every match must contain, for the price of a substring search. The strings that turn
 * away most are tried first.
 */
export class LiteralGate {
  readonly #clauses: Clause[];

  constructor(clauses: readonly Clause[]) {
    this.#clauses = [...clauses];
  }

  /** Those that turn away most come first. */
  get clauses(): readonly Clause[] {
    return this.#clauses;
  }

  /** False: an expression with these clauses matches nowhere in the text. */
  admits(text: string): boolean {
    const clauses = this.#clauses;
    for (let i = 0; i < clauses.length; i += 1) {
      if (containsAny(text, clauses[i]!)) continue;
      if (i > 0) clauses.unshift(...clauses.splice(i, 1));
      return false;
    }
    return true;
  }
}

function containsAny(text: string, clause: Clause): boolean {
  for (const literal of clause) if (text.includes(literal)) return true;
  return false;
}
