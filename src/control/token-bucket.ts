/** Lets so many through at once, and so many more each second. */
export class TokenBucket {
  readonly #size: number;
  readonly #perSecond: number;
  readonly #now: () => number;
  #tokens: number;
  #last: number;

  /** @param now monotonic milliseconds */
  constructor(size: number, perSecond: number, now: () => number = () => performance.now()) {
    this.#size = size;
    this.#perSecond = perSecond;
    this.#now = now;
    this.#tokens = size;
    this.#last = now();
  }

  /** @returns seconds to wait; 0: it is let through */
  take(): number {
    const now = this.#now();
    this.#tokens = Math.min(this.#size, this.#tokens + ((now - this.#last) / 1000) * this.#perSecond);
    this.#last = now;
    if (this.#tokens < 1) return (1 - this.#tokens) / this.#perSecond;
    this.#tokens -= 1;
    return 0;
  }
}
