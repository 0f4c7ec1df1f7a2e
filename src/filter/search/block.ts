import { isAscii } from 'node:buffer';

const newline = 0x0a;
const carriageReturn = 0x0d;
/** Up to so many lines are made text of one by one. */
const fewLines = 16;

/** Whole lines of a log, as bytes, of which text is made only where it is asked for. */
export class Block {
  /** Each line ends in a newline. */
  readonly bytes: Buffer;
  readonly #ascii: boolean;
  readonly #decode: (bytes: Buffer) => string;
  #text: string | undefined;
  #cut = 0;

  /** @param decode used for what isn't ASCII */
  constructor(bytes: Buffer, decode: (bytes: Buffer) => string) {
    this.bytes = bytes;
    this.#ascii = isAscii(bytes);
    this.#decode = decode;
  }

  /** The begin of the line that a byte belongs to. */
  lineStart(at: number): number {
    return at === 0 ? 0 : this.bytes.lastIndexOf(newline, at - 1) + 1;
  }

  /** Where the newline of the line stands that a byte belongs to. */
  lineEnd(at: number): number {
    return this.bytes.indexOf(newline, at);
  }

  /** Whether a part is ASCII, so that its text has a character for each byte. */
  isAscii(start: number, end: number): boolean {
    return this.#ascii || isAscii(this.bytes.subarray(start, end));
  }

  /** A line with a newline for its terminator. @param end where its newline stands */
  line(start: number, end: number): string {
    if (end > start && this.bytes[end - 1] === carriageReturn) return `${this.#slice(start, end - 1)}\n`;
    return this.#slice(start, end + 1);
  }

  #slice(start: number, end: number): string {
    if (!this.#ascii) return this.#decode(this.bytes.subarray(start, end));
    if (this.#text === undefined && ++this.#cut <= fewLines) return this.bytes.toString('latin1', start, end);
    this.#text ??= this.bytes.toString('latin1');
    return this.#text.slice(start, end);
  }
}
