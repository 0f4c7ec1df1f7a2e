/** UTF-16 code units of matched lines that all jails keep together. */
const size = 4 * 1024 * 1024;

/** The memory that matched lines may take up. Attackers write them: beyond it, failures are counted without what was logged. */
export class LineBudget {
  #left: number;

  /** @param length UTF-16 code units */
  constructor(length: number = size) {
    this.#left = length;
  }

  /** @returns whether there is room for so much; it is taken then */
  take(length: number): boolean {
    if (length > this.#left) return false;
    this.#left -= length;
    return true;
  }

  /** Gives back what was taken. */
  release(length: number): void {
    this.#left += length;
  }
}
