const minute = 60_000;

/**
 * Converts between instants and the wall-clock time of this process's zone, written as the instant at which UTC's clock
 * shows the same. It remembers the last minute asked for: lines of a log come close together.
 */
export class LocalClock {
  #minute = NaN;
  #offset = 0;
  #wallMinute = NaN;
  #instant = 0;

  /** @param instant epoch milliseconds */
  wallTime(instant: number): number {
    const at = Math.floor(instant / minute);
    if (at !== this.#minute) {
      this.#minute = at;
      this.#offset = new Date(at * minute).getTimezoneOffset() * minute;
    }
    return instant - this.#offset;
  }

  /** The inverse; of a time that comes twice in autumn, the first. */
  instant(wallTime: number): number {
    const at = Math.floor(wallTime / minute);
    if (at !== this.#wallMinute) {
      this.#wallMinute = at;
      const d = new Date(at * minute);
      const local = new Date(2000, d.getUTCMonth(), d.getUTCDate(), d.getUTCHours(), d.getUTCMinutes());
      this.#instant = local.setFullYear(d.getUTCFullYear(), d.getUTCMonth(), d.getUTCDate());
    }
    return this.#instant + (wallTime - at * minute);
  }
}
