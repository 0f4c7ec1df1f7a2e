const nothing = Buffer.alloc(0);
/** What is quiet needs no larger buffer. */
const mostKept = 4096;

/** The beginning of something whose end is still to come. It is held up to a limit; what is beyond is dropped. */
export class HeldBytes {
  readonly #most: number;
  #buffer = nothing;
  #length = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get length(): number {
    return this.#length;
  }

  /** What is held; writing to it changes that. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Copies `[start, end)` of a chunk. @returns how many bytes there was room for */
  push(chunk: Buffer, start = 0, end = chunk.length): number {
    const kept = Math.min(end - start, this.#most - this.#length);
    const needed = this.#length + kept;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(this.#most, Math.max(256, 2 * needed)));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    chunk.copy(this.#buffer, this.#length, start, start + kept);
    this.#length = needed;
    return kept;
  }

  /** Gives out what is held, valid until something is pushed again, and holds nothing. */
  take(): Buffer {
    const { bytes } = this;
    this.#length = 0;
    if (this.#buffer.length > mostKept) this.#buffer = nothing;
    return bytes;
  }
}
