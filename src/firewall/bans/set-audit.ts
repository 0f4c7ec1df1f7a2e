/** Milliseconds to wait for each member that was read: reading takes some 2 µs, so all of it stays under 1 % of the time. */
const pausePerMember = 0.3;

/** Chooses which set is to be read in full, so that each has its turn and the reading costs little however large they are. */
export class SetAudit {
  /** Sets that had their turn in this round. */
  readonly #done = new Set<string>();
  /** Epoch milliseconds. Undefined: nobody has asked yet. */
  #notBefore: number | undefined;

  /**
   * @param sets names
   * @param sizeOf how many members a set has
   * @param now epoch milliseconds
   * @returns the set to read now; undefined: none
   */
  next(sets: readonly string[], sizeOf: (set: string) => number, now: number): string | undefined {
    // At the start all of it has just been read or written.
    this.#notBefore ??= now + sets.reduce((sum, set) => sum + sizeOf(set), 0) * pausePerMember;
    if (now < this.#notBefore) return undefined;
    let chosen = sets.find((set) => !this.#done.has(set));
    if (chosen === undefined) {
      this.#done.clear();
      chosen = sets[0];
    }
    if (chosen === undefined) return undefined;
    this.#done.add(chosen);
    this.#notBefore = now + sizeOf(chosen) * pausePerMember;
    return chosen;
  }
}
