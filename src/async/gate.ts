/** Lets jobs run side by side, but one kind of job only alone: it waits for those under way, and later ones wait for it. */
export class Gate {
  readonly #passing = new Set<Promise<unknown>>();
  #closed: Promise<unknown> | undefined;

  /** Runs a job beside others. */
  async pass<Result>(job: () => Promise<Result>): Promise<Result> {
    while (this.#closed) await this.#closed;
    const running = job();
    const settled = running.catch(() => undefined).finally(() => this.#passing.delete(settled));
    this.#passing.add(settled);
    return running;
  }

  /** Runs a job alone. Not for overlapping calls. */
  async alone<Result>(job: () => Promise<Result>): Promise<Result> {
    const running = Promise.all(this.#passing).then(job);
    this.#closed = running.catch(() => undefined);
    try {
      return await running;
    } finally {
      this.#closed = undefined;
    }
  }
}
