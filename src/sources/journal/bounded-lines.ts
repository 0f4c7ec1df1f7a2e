const newline = 0x0a;

/** Cuts a stream of bytes into lines of UTF-8, and passes over lines that are too long. */
export class BoundedLines {
  readonly #mostBytes: number;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #skipping = false;
  #skipped = 0;

  /** @param mostBytes longest line */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** Lines so far that were too long. */
  get skippedLines(): number {
    return this.#skipped;
  }

  /** @returns the lines that end in this chunk, without their newlines */
  accept(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end: number; (end = chunk.indexOf(newline, start)) >= 0; start = end + 1) {
      this.#hold(chunk.subarray(start, end));
      if (this.#skipping) this.#skipped++;
      else lines.push(Buffer.concat(this.#held).toString('utf8'));
      this.#drop();
      this.#skipping = false;
    }
    this.#hold(chunk.subarray(start));
    return lines;
  }

  #hold(part: Buffer): void {
    if (this.#skipping || part.length === 0) return;
    this.#held.push(part);
    this.#heldBytes += part.length;
    if (this.#heldBytes <= this.#mostBytes) return;
    this.#drop();
    this.#skipping = true;
  }

  #drop(): void {
    this.#held = [];
    this.#heldBytes = 0;
  }
}
