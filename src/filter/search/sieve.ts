import { anyLiteral } from './any-literal.ts';
import type { LiteralGate } from './literal-gate.ts';
import { frequencyIn, needlesOf, type Frequency, type Needle } from './needle.ts';
import type { Clause } from '../python-regex/required-literals.ts';

/** Above this number, one search for all literals at once is faster than one for each. */
const fewGates = 3;
const lessonsToChoose = 64;
/** Bytes: some hundred lines. */
const sampleSize = 16_384;

/**
 * Asks the gates of many expressions at once whether any of them may admit a text. It first takes the most telling
 * literal of each, and chooses anew as often as these turn out to let too much pass.
 */
export class Sieve {
  readonly #gates: readonly LiteralGate[];
  #literals: RegExp | undefined;
  #needles: readonly Needle[] | undefined;
  /** Whether the needles are up to date. */
  #chosen = false;
  #inVain = 0;
  #lessons = 0;
  /** Ever fewer texts are learnt from. */
  #lessonEvery = 1;

  constructor(gates: readonly LiteralGate[]) {
    this.#gates = gates;
    this.#choose();
  }

  /**
   * What to search a log for: a line that has none of these is admitted by no gate. Undefined: a gate has none.
   * The same array until it has reason to choose anew.
   * @param sample of the log
   */
  needles(sample: Buffer): readonly Needle[] | undefined {
    if (!this.#chosen) {
      this.#needles = this.#needlesFor(frequencyIn(sample.subarray(0, sampleSize)));
      this.#chosen = true;
    }
    return this.#needles;
  }

  /** False: no gate admits the text. */
  admits(text: string): boolean {
    return this.#literals ? this.#literals.test(text) : this.#admittedBySome(text);
  }

  /** Learns from a text that was admitted, but that no expression was for. */
  noteFalsePositive(text: string): void {
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
    this.#chosen = false;
  }

  #needlesFor(frequency: Frequency): readonly Needle[] | undefined {
    const expressions = new Map<string, number[]>();
    for (const [index, gate] of this.#gates.entries()) {
      const needles = needlesOf(gate.clauses, frequency);
      if (!needles) return undefined;
      for (const text of new Set(needles)) expressions.set(text, [...(expressions.get(text) ?? []), index]);
    }
    return [...expressions].map(([text, indexes]) => ({ text, expressions: indexes }));
  }

  #admittedBySome(text: string): boolean {
    for (const gate of this.#gates) if (gate.admits(text)) return true;
    return false;
  }
}

/** Undefined: one of the gates admits everything. */
function anyOf(gates: readonly LiteralGate[]): RegExp | undefined {
  const clauses = gates.map((gate) => gate.clauses[0]);
  if (clauses.includes(undefined)) return undefined;
  return anyLiteral(new Set(clauses.flatMap((clause: Clause | undefined) => clause ?? [])));
}
