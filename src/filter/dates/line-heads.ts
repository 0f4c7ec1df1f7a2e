import type { Block } from '../search/block.ts';
import type { DateTemplate } from './template.ts';

const newline = 0x0a;
const blank = 0x20;

/**
 * Remembers how the last line began whose date a template was asked for: under load many lines begin with the same date, and
 * with the same word behind it.
 */
export class LineHeads {
  #template: DateTemplate | undefined;
  /** The date, what is blank behind it, the word behind that, and one more character. */
  #head: Uint8Array = new Uint8Array(0);
  /** Where the date ends. */
  #dateEnd = 0;

  /**
   * Where in a line of an ASCII block the text behind its date begins; undefined: it doesn't begin with a date of this form.
   * @param template a near-sighted one
   * @param start where the line begins in the block
   * @param end where its newline stands
   */
  visibleStart(template: DateTemplate, block: Block, start: number, end: number): number | undefined {
    if (template !== this.#template || !this.#fits(block.bytes, start)) {
      const dateEnd = template.leadingEnd(block.line(start, end));
      if (dateEnd === undefined) return undefined;
      this.#template = template;
      this.#dateEnd = dateEnd;
      this.#head = new Uint8Array(block.bytes.subarray(start, headEnd(block.bytes, start + dateEnd)));
    }
    return start + this.#dateEnd;
  }

  #fits(bytes: Buffer, start: number): boolean {
    const head = this.#head;
    for (let i = head.length - 1; i >= 0; i -= 1) if (bytes[start + i] !== head[i]) return false;
    return true;
  }
}

function headEnd(bytes: Buffer, dateEnd: number): number {
  let at = dateEnd;
  while (bytes[at]! <= blank && bytes[at] !== newline) at += 1;
  while (bytes[at]! > blank) at += 1;
  return at + 1;
}
