/** Bytes. */
const least = 8 * 1024;
/** What a line buffer has room for. */
const most = 256 * 1024;
/** What is done with less than this is over too soon to be measured. */
const measurable = 2 * 1024;
/** Milliseconds that what is read at once should take. */
const slice = 6;

/**
 * How much of a file is read at once: as long as the lines take long, as those do in which failures are, little, so that other
 * sources and what bans have set off have their turn in between.
 */
export class ReadSize {
  #bytes = most;

  get bytes(): number {
    return this.#bytes;
  }

  /** @param ms that it took to do what there was to do with so many bytes */
  took(ms: number, bytes: number): void {
    if (bytes < measurable) return;
    const fitting = Math.floor((bytes * slice) / Math.max(ms, 0.01));
    // A pause of the garbage collector is soon forgotten, and so is a stretch of quick lines.
    this.#bytes = Math.max(least, Math.min(most, fitting, 2 * this.#bytes));
  }
}
