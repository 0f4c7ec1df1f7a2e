import type { LiteralGate } from './literal-gate.ts';
import { needlesOf } from './needle.ts';
import { escapeUnit } from './python-regex/char-set.ts';
import type { Clause } from './python-regex/required-literals.ts';

/** Above this number, one search for all literals at once is faster than one for each. */
const fewGates = 3;
const lessonsToChoose = 64;

/**
 * Asks the gates of many expressions at once whether any of them may admit a text. It first takes the most telling
 * literal of each, and chooses anew as often as these turn out to let too much pass.
 */
export class Sieve {
  readonly #gates: readonly LiteralGate[];
  #literals: RegExp | undefined;
  #needles: readonly string[] | undefined;
  #inVain = 0;
  #lessons = 0;
  /** Ever fewer texts are learnt from. */
  #lessonEvery = 1;

  constructor(gates: readonly LiteralGate[]) {
    this.#gates = gates;
    this.#choose();
  }

  /** What to search a log for: a line that has none of these is admitted by no gate. Another array when it has chosen anew. */
  get needles(): readonly string[] | undefined {
    return this.#needles;
  }

  /** False: no gate admits the text. */
  admits(text: string): boolean {
    return this.#literals ? this.#literals.test(text) : this.#admittedBySome(text);
  }

  /** Learns from a text that was admitted, but that no expression was for. */
  admittedInVain(text: string): void {
    this.#inVain += 1;
    if (this.#inVain % this.#lessonEvery !== 0 || this.#admittedBySome(text)) return;
    this.#lessons += 1;
    if (this.#lessons < lessonsToChoose) return;
    this.#lessons = 0;
    this.#lessonEvery *= 4;
    this.#choose();
  }

  #choose(): void {
    const gates = this.#gates;
    this.#literals = gates.length > fewGates ? anyOf(gates) : undefined;
    const needles = gates.map((gate) => gate.firstOf(needlesOf));
    this.#needles = needles.includes(undefined)
      ? undefined
      : [...new Set(needles.flatMap((some) => some ?? []))];
  }

  #admittedBySome(text: string): boolean {
    for (const gate of this.#gates) if (gate.admits(text)) return true;
    return false;
  }
}

/** Undefined: one of the gates admits everything. */
function anyOf(gates: readonly LiteralGate[]): RegExp | undefined {
  const clauses = gates.map((gate) => gate.firstOf((clause) => clause));
  if (clauses.includes(undefined)) return undefined;
  const literals = new Set(clauses.flatMap((clause: Clause | undefined) => clause ?? []));
  const source = (text: string): string =>
    Array.from({ length: text.length }, (_, i) => escapeUnit(text.charCodeAt(i))).join('');
  return new RegExp([...literals].map(source).join('|'));
}
