import type { LiteralGate } from './literal-gate.ts';
import { escapeUnit } from './python-regex/char-set.ts';

/** Above this number, one search for all literals at once is faster than one for each. */
const fewGates = 3;

/**
 * Asks the gates of many expressions at once which of them may admit a text. It first takes the most telling
 * literal of each, and chooses anew as often as these turn out to let too much pass.
 */
export class Sieve {
  readonly #gates: readonly LiteralGate[];
  #literals: RegExp | undefined;
  #passedInVain = 0;
  #patience = 64;

  constructor(gates: readonly LiteralGate[]) {
    this.#gates = gates;
    this.#literals = gates.length > fewGates ? anyOf(gates) : undefined;
  }

  /** The index of the first gate that admits a text; -1: none does. */
  first(text: string): number {
    if (this.#literals && !this.#literals.test(text)) return -1;
    const gates = this.#gates;
    for (let index = 0; index < gates.length; index += 1) if (gates[index]!.admits(text)) return index;
    if (this.#literals && ++this.#passedInVain > this.#patience) {
      this.#passedInVain = 0;
      this.#patience *= 4;
      this.#literals = anyOf(gates);
    }
    return -1;
  }
}

/** Undefined: one of the gates admits everything. */
function anyOf(gates: readonly LiteralGate[]): RegExp | undefined {
  const clauses = gates.map((gate) => gate.best);
  if (clauses.includes(undefined)) return undefined;
  const literals = new Set(clauses.flatMap((clause) => clause ?? []));
  const source = (text: string): string =>
    Array.from({ length: text.length }, (_, i) => escapeUnit(text.charCodeAt(i))).join('');
  return new RegExp([...literals].map(source).join('|'));
}
