import type { Alphabet } from './char-set.ts';
import type { SpannedMatch } from './match.ts';
import type { Expression } from './syntax.ts';
import { translate } from './translate.ts';

/** The JavaScript groups that stand in for a Python one. */
type Stand = readonly number[];

/** An expression compiled for one alphabet and one of V8's engines. */
export class Searcher {
  readonly #regex: RegExp;
  readonly #names: readonly (readonly [name: string, stand: Stand])[];
  readonly #numbers: ReadonlyMap<number, Stand>;

  /**
   * @param wanted the groups to capture beside the named ones
   * @throws RegexError for what JavaScript can't do, SyntaxError for what the engine can't
   */
  constructor(
    { root, names }: Expression,
    alphabet: Alphabet,
    flags: string,
    wanted: readonly number[] = [],
  ) {
    const { source, groups } = translate(root, alphabet, [...names.values(), ...wanted]);
    this.#regex = new RegExp(source, flags);
    this.#names = [...names].map(([name, group]) => [name, groups.get(group) ?? []]);
    this.#numbers = groups;
  }

  /** The JavaScript groups that stand in for one of the expression's. */
  standsOf(group: number): Stand {
    return this.#numbers.get(group) ?? [];
  }

  search(text: string, from: number): FoundMatch | undefined {
    this.#regex.lastIndex = from;
    const found = this.#regex.exec(text);
    return found ? new FoundMatch(found, this.#names, this.#numbers) : undefined;
  }
}

export class FoundMatch implements SpannedMatch {
  readonly #found: RegExpExecArray;
  readonly #names: readonly (readonly [name: string, stand: Stand])[];
  readonly #numbers: ReadonlyMap<number, Stand>;

  constructor(
    found: RegExpExecArray,
    names: readonly (readonly [name: string, stand: Stand])[],
    numbers: ReadonlyMap<number, Stand>,
  ) {
    this.#found = found;
    this.#names = names;
    this.#numbers = numbers;
  }

  get start(): number {
    return this.#found.index;
  }

  get end(): number {
    return this.#found.index + this.#found[0].length;
  }

  captureInto(groups: Record<string, unknown>): void {
    const found = this.#found;
    for (const [name, stand] of this.#names) {
      const number = stand.length === 1 ? stand[0] : this.#taking(stand);
      groups[name] = number === undefined ? undefined : found[number];
    }
  }

  span(group: number): readonly [number, number] | undefined {
    const number = this.#taking(this.#numbers.get(group) ?? []);
    if (number === undefined) return undefined;
    const { indices } = this.#found;
    return indices ? indices[number] : [this.end - this.#found[number]!.length, this.end];
  }

  /** What one of JavaScript's groups captured. */
  text(number: number): string | undefined {
    return this.#found[number];
  }

  /** The one of several that took part. */
  #taking(stand: Stand): number | undefined {
    return stand.find((number) => this.#found[number] !== undefined);
  }
}
