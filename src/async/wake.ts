/**
 * A wake-up that is never lost: set any number of times before or during a wait, it ends that wait, or the next, once.
 * One waiter at a time.
 */
export class Wake {
  #isSet = false;
  #release: (() => void) | undefined;
  readonly #onAbort = (): void => this.#release?.();

  set(): void {
    this.#isSet = true;
    this.#release?.();
  }

  /** Forgets wake-ups so far: whoever looks at the world now has seen what they told. */
  clear(): void {
    this.#isSet = false;
  }

  /** Resolves at the next wake-up, after `ms`, or when `signal` aborts. Says whether a wake-up ended it, and clears it. */
  async wait(ms: number, signal: AbortSignal): Promise<boolean> {
    if (!this.#isSet && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, ms);
      signal.addEventListener('abort', this.#onAbort);
      this.#release = resolve;
      await promise;
      clearTimeout(timer);
      signal.removeEventListener('abort', this.#onAbort);
      this.#release = undefined;
    }
    const woken = this.#isSet;
    this.#isSet = false;
    return woken;
  }
}
