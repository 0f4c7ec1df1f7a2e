import { Wake } from '../../async/wake.ts';

/** Somebody whose lines wait in an intake. */
export interface Producer {
  /** Called once when everything it had offered is taken, after an `offer` that returned false. */
  drained(): void;
}

/** Bytes that may wait of one producer, and of all. */
export interface IntakeLimits {
  readonly each: number;
  readonly all: number;
}

interface Account {
  bytes: number;
  isFull: boolean;
}

/**
 * Lines of many producers on their way to one consumer. A producer with too much waiting is told so, and when there is
 * room again: it can hold back its sender, or drop what it can't keep. Others go on.
 */
export class LineIntake<Line> {
  readonly #limits: IntakeLimits;
  readonly #accounts = new Map<Producer, Account>();
  readonly #wake = new Wake();
  #lines: Line[] = [];
  #bytes = 0;

  constructor(limits: IntakeLimits) {
    this.#limits = limits;
  }

  /** @returns false if the producer should offer no more until it is told that there is room. The line is taken all the same. */
  offer(producer: Producer, line: Line, bytes: number): boolean {
    const account = this.#accounts.get(producer) ?? { bytes: 0, isFull: false };
    this.#accounts.set(producer, account);
    account.bytes += bytes;
    this.#bytes += bytes;
    this.#lines.push(line);
    this.#wake.set();
    if (account.bytes < this.#limits.each && this.#bytes < this.#limits.all) return true;
    account.isFull = true;
    return false;
  }

  /** Everything that waits. */
  take(): Line[] {
    const lines = this.#lines;
    this.#lines = [];
    this.#bytes = 0;
    const full = [...this.#accounts].filter(([, { isFull }]) => isFull);
    this.#accounts.clear();
    for (const [producer] of full) producer.drained();
    return lines;
  }

  /** Ends the next wait. */
  wake(): void {
    this.#wake.set();
  }

  /** Resolves when there may be something to take, after `ms`, or when `signal` aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    await this.#wake.wait(ms, signal);
  }
}
