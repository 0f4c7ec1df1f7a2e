/** Milliseconds: less than this is the clock being brought right slowly, or the time between two readings. */
const least = 5000;

/** Notices when somebody sets the clock: time sources at boot, a person, a virtual machine that was moved. */
export class ClockSteps {
  readonly #clock: () => number;
  readonly #uptime: () => number;
  #ahead: number;

  /**
   * @param clock epoch milliseconds
   * @param uptime milliseconds since boot, which grow by themselves alone, also while the machine sleeps
   */
  constructor(clock: () => number, uptime: () => number) {
    this.#clock = clock;
    this.#uptime = uptime;
    this.#ahead = clock() - uptime();
  }

  /** Milliseconds by which the clock was set ahead since the last look; negative: back; 0: it was not. */
  look(): number {
    const ahead = this.#clock() - this.#uptime();
    const step = ahead - this.#ahead;
    this.#ahead = ahead;
    return Math.abs(step) < least ? 0 : Math.round(step);
  }
}
