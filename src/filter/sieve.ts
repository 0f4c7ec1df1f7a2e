import type { LiteralGate } from './literal-gate.ts';
import { escapeUnit } from './python-regex/char-set.ts';

/** Above this number, one search for all literals at once is faster than one for each. */
const fewGates = 3;

/**
 * Asks the gates of many expressions at once whether any of them may admit a text. It first takes the most telling
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

  /** False: no gate admits the text. */
  admits(text: string): boolean {
    if (this.#literals) return this.#literals.test(text);
    return this.#admittedBySome(text);
  }

  /** Learns from a text that was admitted, but that no expression was for. */
  admittedInVain(text: string): void {
    if (!this.#literals || this.#admittedBySome(text)) return;
    this.#passedInVain += 1;
    if (this.#passedInVain <= this.#patience) return;
    this.#passedInVain = 0;
    this.#patience *= 4;
    this.#literals = anyOf(this.#gates);
  }

  #admittedBySome(text: string): boolean {
    for (const gate of this.#gates) if (gate.admits(text)) return true;
    return false;
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
