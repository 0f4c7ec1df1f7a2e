import type { FirstChars } from '../python-regex/first-chars.ts';

/** Beyond ASCII: what every expression may match. */
const others = 128;

/** Tells by the first character of a text which of many expressions may match it. */
export class FirstCharDispatch {
  /** Indexes of expressions by the code of the character, in ascending order; the last for those beyond ASCII. */
  readonly #byCode: readonly (readonly number[])[];
  readonly #ofEmpty: readonly number[];

  /** @param expressions what each may begin with; undefined: anything, and nothing at all */
  constructor(expressions: readonly (FirstChars | undefined)[]) {
    const indexesWhere = (may: (first: FirstChars | undefined) => boolean): number[] =>
      expressions.flatMap((first, index) => (may(first) ? [index] : []));
    this.#byCode = Array.from({ length: others + 1 }, (_, code) =>
      indexesWhere((first) => code === others || (first?.[code] ?? true)),
    );
    this.#ofEmpty = indexesWhere((first) => first === undefined);
  }

  /** The expressions that may match a text. @param text with a newline at its end */
  of(text: string): readonly number[] {
    return text === '\n' ? this.#ofEmpty : this.#byCode[Math.min(text.charCodeAt(0), others)]!;
  }
}
