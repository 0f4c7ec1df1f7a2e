/** The longest line, in bytes. What a line has beyond is dropped. */
export const maxLineBytes = 64 * 1024;
const chunkBytes = 256 * 1024;
const newline = 0x0a;

/**
 * Cuts the bytes of a growing file into whole lines. A last line without its newline is held until the rest comes. A run of
 * NULs where a line begins is dropped: it is the hole that a writer leaves which goes on at its old offset after the file was
 * truncated. The bytes that it gives out are its own, and are valid until it is used again.
 */
export class LineBuffer {
  readonly #bytes = Buffer.allocUnsafeSlow(maxLineBytes + chunkBytes);
  /** Where the held bytes begin and end. */
  #start = 0;
  #end = 0;
  /** The rest of the current line is unwanted. */
  #skipping = false;
  #cut = 0;

  /** Lines so far that were longer than 64 KiB. */
  get cutLines(): number {
    return this.#cut;
  }

  /** How many bytes are held: those of the last line, as far as it has come. */
  get held(): number {
    return this.#end - this.#start;
  }

  /** Whether what comes next is the rest of a line that is unwanted. */
  get inLine(): boolean {
    return this.#skipping;
  }

  /** Where the file's next bytes are to be written: at least 256 KiB. */
  get free(): Buffer {
    this.#bytes.copyWithin(0, this.#start, this.#end);
    this.#hold(0, this.#end - this.#start);
    return this.#bytes.subarray(this.#end);
  }

  /** Takes in `count` bytes written to `free`. Returns the whole lines that are there now, each with its newline. */
  accept(count: number): Buffer {
    const bytes = this.#bytes;
    const end = this.#end + count;
    let start = 0;
    if (this.#skipping) {
      const lineEnd = bytes.subarray(0, end).indexOf(newline);
      if (lineEnd < 0) return none;
      this.#skipping = false;
      start = lineEnd + 1;
    }
    if (this.#end === 0) while (start < end && bytes[start] === 0) start++;
    const wholeEnd = Math.max(start, bytes.subarray(0, end).lastIndexOf(newline) + 1);
    let to = this.#cutWholeLines(start, wholeEnd);
    if (end - wholeEnd > maxLineBytes) {
      to = this.#cutLine(wholeEnd, wholeEnd, to);
      this.#skipping = true;
      this.#hold(0, 0);
    } else {
      this.#hold(wholeEnd, end);
    }
    return bytes.subarray(start, to);
  }

  /** The last line though it has no newline: nothing more will come. */
  flush(): Buffer {
    const [start, end] = [this.#start, this.#end];
    this.#hold(0, 0);
    this.#skipping = false;
    if (start === end) return none;
    this.#bytes[end] = newline;
    return this.#bytes.subarray(start, end + 1);
  }

  /** Drops everything up to the next newline: what comes next may be the end of a line whose beginning is unknown. */
  skipLine(): void {
    this.#hold(0, 0);
    this.#skipping = true;
  }

  /** Forgets what is held: what comes next begins a line. */
  clear(): void {
    this.#hold(0, 0);
    this.#skipping = false;
  }

  #hold(start: number, end: number): void {
    this.#start = start;
    this.#end = end;
  }

  /**
   * Cuts the lines that are too long, and moves what follows to their end. Looks for them in steps of 64 KiB: a step that
   * has a newline has no such line before it.
   * @returns where the lines end now
   */
  #cutWholeLines(start: number, end: number): number {
    const bytes = this.#bytes;
    let from = start;
    let at = start;
    let to = start;
    while (end - at > maxLineBytes + 1) {
      const lineEnd = bytes.lastIndexOf(newline, at + maxLineBytes);
      if (lineEnd >= at) {
        at = lineEnd + 1;
      } else {
        const next = bytes.indexOf(newline, at + maxLineBytes) + 1;
        to = this.#cutLine(from, at, to);
        at = from = next;
      }
    }
    return this.#move(from, end, to);
  }

  /** Moves the lines from `from` on and 64 KiB of the one at `start` down to `to`. @returns where they end now */
  #cutLine(from: number, start: number, to: number): number {
    this.#cut++;
    const end = this.#move(from, start + maxLineBytes, to);
    this.#bytes[end] = newline;
    return end + 1;
  }

  #move(from: number, end: number, to: number): number {
    if (from !== to) this.#bytes.copyWithin(to, from, end);
    return to + end - from;
  }
}

const none = Buffer.alloc(0);
