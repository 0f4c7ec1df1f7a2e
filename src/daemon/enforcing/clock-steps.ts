/** Milliseconds; smaller jumps are slow clock correction, or the time between two readings. */
const least = 5000;

/** Notices when the clock is set: by NTP at boot, by a person, or when a virtual machine is moved. */
export class ClockSteps {
  readonly #clock: () => number;
  readonly #uptime: () => number;
  #ahead: number;

  /**
   * @param clock epoch milliseconds
   * @param uptime milliseconds since boot; never set, and counting while the machine sleeps
   */
  constructor(clock: () => number, uptime: () => number) {
    this.#clock = clock;
    this.#uptime = uptime;
    this.#ahead = clock() - uptime();
  }

  /** Milliseconds by which the clock was set forward since the last call; negative: back; 0: it wasn't set. */
  look(): number {
    const ahead = this.#clock() - this.#uptime();
    const step = ahead - this.#ahead;
    this.#ahead = ahead;
    return Math.abs(step) < least ? 0 : Math.round(step);
  }
}
