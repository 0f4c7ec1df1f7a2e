import { LongLine, mostLineBytes } from '../../text/long-line.ts';

/** What is held here of a line that has not ended. A longer one is put aside, so that little memory is needed while none is long. */
const mostHeld = 64 * 1024;
const chunkBytes = 256 * 1024;
const newline = 0x0a;

/**
 * Cuts the bytes of a growing file into whole lines. A last line without its newline is held until the rest comes. A run of
 * NULs where a line begins is dropped: it is the hole that a writer leaves which goes on at its old offset after the file was
 * truncated. The bytes that it gives out are its own, and are valid until it is used again.
 */
export class LineBuffer {
  readonly #bytes = Buffer.allocUnsafeSlow(mostHeld + chunkBytes);
  /** Where the held bytes begin and end. */
  #start = 0;
  #end = 0;
  /** A long line, as far as it has come; nothing else is held then. */
  #long: LongLine | undefined;
  /** The rest of the current line is unwanted. */
  #skipping = false;
  #cut = 0;
  #cuts: readonly number[] = [];

  /** Lines so far that were longer than 256 KiB. */
  get cutLines(): number {
    return this.#cut;
  }

  /** Where in the lines that were given out last something was left out. */
  get cuts(): readonly number[] {
    return this.#cuts;
  }

  /** How many bytes are held: those of the last line, as far as it has come. */
  get held(): number {
    return this.#long?.held ?? this.#end - this.#start;
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
    const isNew = this.#end === 0;
    let start = 0;
    let first: Buffer = none;
    this.#cuts = noCuts;
    if (this.#skipping || this.#long) {
      const lineEnd = bytes.subarray(0, end).indexOf(newline);
      this.#long?.push(bytes.subarray(0, lineEnd < 0 ? end : lineEnd));
      if (lineEnd < 0) return none;
      if (this.#long) first = this.#joined(this.#long);
      this.#long = undefined;
      this.#skipping = false;
      start = lineEnd + 1;
    }
    if (isNew) while (start < end && bytes[start] === 0) start++;
    const wholeEnd = Math.max(start, bytes.subarray(0, end).lastIndexOf(newline) + 1);
    if (end - wholeEnd > mostHeld) {
      this.#long = new LongLine();
      this.#long.push(bytes.subarray(wholeEnd, end));
      this.#hold(0, 0);
    } else {
      this.#hold(wholeEnd, end);
    }
    const rest = this.#withinLimit(bytes.subarray(start, wholeEnd), first.length);
    return first.length > 0 ? Buffer.concat([first, rest]) : rest;
  }

  /** The last line though it has no newline: nothing more will come. */
  flush(): Buffer {
    const [start, end, long] = [this.#start, this.#end, this.#long];
    this.#cuts = noCuts;
    this.clear();
    if (long) return this.#joined(long);
    if (start === end) return none;
    this.#bytes[end] = newline;
    return this.#bytes.subarray(start, end + 1);
  }

  /** Drops everything up to the next newline: what comes next may be the end of a line whose beginning is unknown. */
  skipLine(): void {
    this.clear();
    this.#skipping = true;
  }

  /** Forgets what is held: what comes next begins a line. */
  clear(): void {
    this.#hold(0, 0);
    this.#long = undefined;
    this.#skipping = false;
  }

  #hold(start: number, end: number): void {
    this.#start = start;
    this.#end = end;
  }

  /** A line that was put aside, with its newline. @param at where it will stand among those that are given out */
  #joined(line: LongLine, at = 0): Buffer {
    const { bytes, cut } = line.join();
    if (cut !== undefined) {
      this.#cut++;
      this.#cuts = [...this.#cuts, at + cut];
    }
    return Buffer.concat([bytes, newlineBytes]);
  }

  /** Cuts a line that is too long. There is one at most: no more is read at once. @param before bytes given out before these */
  #withinLimit(lines: Buffer, before: number): Buffer {
    for (let at = 0; lines.length - at > mostLineBytes + 1;) {
      const lineEnd = lines.indexOf(newline, at);
      if (lineEnd - at > mostLineBytes) {
        const line = new LongLine();
        line.push(lines.subarray(at, lineEnd));
        const cut = this.#joined(line, before + at);
        return Buffer.concat([lines.subarray(0, at), cut, lines.subarray(lineEnd + 1)]);
      }
      at = lineEnd + 1;
    }
    return lines;
  }
}

const none = Buffer.alloc(0);
const noCuts: readonly number[] = [];
const newlineBytes = Buffer.from([newline]);
