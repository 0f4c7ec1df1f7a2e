/** Seconds without a sign of life that are a stall. */
const patience = 10;
/** Seconds of processor time that it must have taken: what waits for a disk, or for its turn, works on. */
const cpuOfStall = 8;

/** Tells from outside whether a thread has stalled. */
export class StallGauge {
  readonly #ownCpu: number;
  #beats = -1;
  #silent = 0;
  #atWork = 0;
  #held = 0;
  #cpuBefore = 0;

  /** @param ownCpu seconds of processor time that it may take where nothing is known to be at work */
  constructor(ownCpu = cpuOfStall) {
    this.#ownCpu = ownCpu;
  }

  /**
   * To be called once a second, as far as the watcher itself runs: a second in which everything was stopped isn't counted.
   * @param beats that the thread has given
   * @param atWork id of what is at work in it, 0: nothing known
   * @param cpu processor time of the thread, seconds; undefined: it can't be told, and so no stall
   * @returns the id of what has been at work all the time, 0: of none; undefined: there is no stall
   */
  tick(beats: number, atWork: number, cpu: () => number | undefined): number | undefined {
    if (beats !== this.#beats) {
      this.#beats = beats;
      this.#silent = 0;
      return undefined;
    }
    this.#held = this.#silent > 0 && atWork === this.#atWork ? this.#held + 1 : 0;
    this.#atWork = atWork;
    if (this.#silent === 0) this.#cpuBefore = cpu() ?? Infinity;
    this.#silent += 1;
    if (this.#silent <= patience) return undefined;
    const culprit = 2 * this.#held >= this.#silent ? atWork : 0;
    const spent = (cpu() ?? 0) - this.#cpuBefore;
    return spent >= (culprit === 0 ? this.#ownCpu : cpuOfStall) ? culprit : undefined;
  }
}
