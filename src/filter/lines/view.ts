import type { BufferedLine } from './buffered-line.ts';
import type { Alphabet } from '../python-regex/char-set.ts';
import { alphabetOf } from '../python-regex/pattern.ts';

/** A text that expressions search, and the lines that it was made of. */
export class View {
  /** Each line ends in a newline, the last as well. */
  readonly text: string;
  readonly original: readonly BufferedLine[];
  #alphabet: Alphabet | undefined;

  /** @param alphabet of the text; undefined: to be found out */
  constructor(text: string, original: readonly BufferedLine[], alphabet?: Alphabet) {
    this.text = text;
    this.original = original;
    this.#alphabet = alphabet;
  }

  get alphabet(): Alphabet {
    return (this.#alphabet ??= alphabetOf(this.text));
  }
}

/** The lines joined. */
export function viewOf(lines: readonly BufferedLine[], original = lines): View {
  return new View(lines.map((line) => line.visible).join(''), original);
}
