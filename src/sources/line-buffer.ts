/** The longest line, in bytes. What a line has beyond is dropped. */
export const maxLineBytes = 64 * 1024;
const chunkBytes = 256 * 1024;
const newline = 0x0a;

/**
 * Turns the bytes of a growing file into text of whole lines. A last line without its newline is held until the rest
 * comes. Bytes that are none in the encoding become U+FFFD. A run of NULs where a line begins is dropped: it is the hole that a
 * writer leaves which goes on at its old offset after the file was truncated.
 */
export class LineBuffer {
  readonly #decode: (bytes: Buffer) => string;
  readonly #bytes = Buffer.allocUnsafeSlow(maxLineBytes + chunkBytes);
  #held = 0;
  /** The rest of the current line is unwanted. */
  #skipping = false;
  #cut = 0;

  /** @param encoding as TextDecoder knows it; a newline must be one byte in it. Throws RangeError for an unknown one. */
  constructor(encoding = 'utf-8') {
    const decoder = new TextDecoder(encoding, { ignoreBOM: true });
    // Buffer's own decoder is several times as fast.
    this.#decode =
      decoder.encoding === 'utf-8' ? (bytes) => bytes.toString('utf8') : (bytes) => decoder.decode(bytes);
  }

  /** Lines so far that were longer than 64 KiB. */
  get cutLines(): number {
    return this.#cut;
  }

  /** Where the file's next bytes are to be written: at least 256 KiB. Valid until the next call. */
  get free(): Buffer {
    return this.#bytes.subarray(this.#held);
  }

  /** Takes in `count` bytes written to `free`. Returns the whole lines that are there now, each with its newline. */
  accept(count: number): string {
    const bytes = this.#bytes;
    const end = this.#held + count;
    let start = 0;
    if (this.#skipping) {
      const lineEnd = bytes.subarray(0, end).indexOf(newline);
      if (lineEnd < 0) return '';
      this.#skipping = false;
      start = lineEnd + 1;
    }
    if (this.#held === 0) while (start < end && bytes[start] === 0) start++;
    const wholeEnd = Math.max(start, bytes.subarray(0, end).lastIndexOf(newline) + 1);
    let text = this.#wholeLines(start, wholeEnd);
    if (end - wholeEnd > maxLineBytes) {
      text += this.#cutLine(wholeEnd);
      this.#skipping = true;
      this.#held = 0;
    } else {
      bytes.copyWithin(0, wholeEnd, end);
      this.#held = end - wholeEnd;
    }
    return text;
  }

  /** The last line though it has no newline: nothing more will come. */
  flush(): string {
    const rest = this.#held === 0 ? '' : `${this.#text(0, this.#held)}\n`;
    this.#held = 0;
    this.#skipping = false;
    return rest;
  }

  /** Drops everything up to the next newline: what comes next may be the end of a line whose beginning is unknown. */
  skipLine(): void {
    this.#held = 0;
    this.#skipping = true;
  }

  /**
   * Drops the held part of a line because its file was cut short. The rest of that line is then expected as the first
   * thing in the file, and dropped, too: read by itself it could pass for a line of someone else's.
   */
  restart(): void {
    this.#skipping ||= this.#held > 0;
    this.#held = 0;
  }

  /** Looks for lines that are too long in steps of 64 KiB: a step that has a newline has no such line before it. */
  #wholeLines(start: number, end: number): string {
    const bytes = this.#bytes;
    let text = '';
    let from = start;
    let at = start;
    while (end - at > maxLineBytes + 1) {
      const lineEnd = bytes.lastIndexOf(newline, at + maxLineBytes);
      if (lineEnd >= at) {
        at = lineEnd + 1;
      } else {
        text += this.#text(from, at) + this.#cutLine(at);
        at = from = bytes.indexOf(newline, at + maxLineBytes) + 1;
      }
    }
    return text + this.#text(from, end);
  }

  #cutLine(start: number): string {
    this.#cut++;
    return `${this.#text(start, start + maxLineBytes)}\n`;
  }

  #text(start: number, end: number): string {
    return this.#decode(this.#bytes.subarray(start, end));
  }
}
