/** Milliseconds of processor time that come back as time goes by in which none are spent. */
export class Allowance {
  readonly #capacity: number;
  readonly #share: number;
  #left: number;
  #at: number | undefined;

  /** @param share of all time that it grows by, up to `capacity` */
  constructor(capacity: number, share: number) {
    this.#capacity = capacity;
    this.#share = share;
    this.#left = capacity;
  }

  /** @param now milliseconds of a clock that nobody sets */
  left(now: number): number {
    const grown = (now - (this.#at ?? now)) * this.#share;
    this.#at = now;
    this.#left = Math.min(this.#capacity, this.#left + grown);
    return this.#left;
  }

  isFull(now: number): boolean {
    return this.left(now) >= this.#capacity;
  }

  spend(cost: number, now: number): void {
    this.#left -= cost;
    this.#at = now;
  }
}

/** What all filters of a process may spend on costly lines together. */
export function sharedAllowance(): Allowance {
  return new Allowance(600, 0.3);
}

/** Milliseconds. */
const costly = 5;
/** Milliseconds for a line, by the clock and by the processor: another process may have had its time. */
const lineLimit = 25;
/** While no line is costly: garbage may have been collected meanwhile. */
const calmLimit = 50;
/** As long as the allowance is used up. */
const shortLimit = 2;
/** The processor's clock is read no more often while no line is costly: it costs as much as a short line. */
const clockInterval = 2;

/**
 * What the lines of one filter may cost that isn't built in. A line that costs more is given up. Whoever makes costly lines uses up
 * an allowance: until it has grown again, lines about as long aren't looked at, and shorter ones are, so that nobody
 * can hide ordinary lines behind costly ones.
 */
export class SearchBudget {
  readonly #own = new Allowance(300, 0.1);
  readonly #shared: Allowance;
  readonly #ofLabels: boolean;
  /** The least length of a line that was costly lately. */
  #costlyLength = Infinity;
  #length = 0;
  #limit = calmLimit;
  #start = 0;
  /** When the processor's clock was read, and what it said. */
  #readAt = -Infinity;
  #read = 0;

  /**
   * @param shared what all filters may spend together
   * @param ofLabels whether a label says what is searched for. Labels can make jails without end: as long as others have used up what is
   * shared, a line may cost little, also where none was costly before
   */
  constructor(shared: Allowance, ofLabels = false) {
    this.#shared = shared;
    this.#ofLabels = ofLabels;
  }

  /** Searches of short texts between two looks at `isSpent`. */
  get searchesToLook(): number {
    return this.#ofLabels ? 1 : 4;
  }

  /** @returns false: the line isn't to be looked at */
  begin(length: number, now: number): boolean {
    this.#start = now;
    this.#length = length;
    const isCalm = this.#costlyLength === Infinity;
    if (!isCalm || now - this.#readAt > clockInterval) {
      this.#read = processorTime();
      this.#readAt = now;
    }
    this.#limit = isCalm ? calmLimit : lineLimit;
    if (isCalm) {
      if (this.#ofLabels && this.#shared.left(now) <= 0) this.#limit = shortLimit;
      return true;
    }
    if (this.#own.left(now) > 0 && this.#shared.left(now) > 0) {
      if (this.#own.isFull(now)) this.#costlyLength = Infinity;
      return true;
    }
    this.#limit = shortLimit;
    return 2 * length < this.#costlyLength;
  }

  /** Whether the line has cost too much. */
  get isSpent(): boolean {
    return performance.now() - this.#start > this.#limit && this.#cost > this.#limit;
  }

  /** After a line that `begin` was called for. */
  end(now: number): void {
    if (now - this.#start <= costly) return;
    const cost = this.#cost;
    if (cost <= costly) return;
    this.#own.spend(cost, now);
    this.#shared.spend(cost, now);
    this.#costlyLength = Math.min(this.#costlyLength, this.#length);
  }

  /** What the line has cost so far at least: until it began, all of the time may have been this thread's. */
  get #cost(): number {
    return processorTime() - this.#read - (this.#start - this.#readAt);
  }
}

/** Milliseconds of this thread's. */
function processorTime(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
