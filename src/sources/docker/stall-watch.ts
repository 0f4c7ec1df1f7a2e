import { setTimeout as delay } from 'node:timers/promises';

/** Milliseconds. */
export interface StallTiming {
  /** Without anything to read until the first look; each look doubles it… */
  readonly first: number;
  /** …up to this. */
  readonly longest: number;
  /** That something which is there has to come here. */
  readonly grace: number;
}

export interface StallWatchOptions {
  readonly timing: StallTiming;
  /** Whether there is something to read that has not come. Its rejections count as no. */
  readonly isBehind: (signal: AbortSignal) => Promise<boolean>;
  /** Called once, then the watch is over. */
  readonly onStall: () => void;
}

/** A look may take this part of the time at most: one that is dear comes less often. */
const greatestShare = 1 / 20;

/** Watches over a stream that may cease to bring what it should: after a while without anything it looks what there is. */
export class StallWatch {
  readonly #options: StallWatchOptions;
  /** Since when the stream is waited for, by performance.now(); undefined: its consumer is at work. */
  #waitingSince: number | undefined;

  constructor(options: StallWatchOptions) {
    this.#options = options;
  }

  /** The stream itself, watched. */
  async *observe<T>(stream: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    this.#waitingSince = performance.now();
    for await (const chunk of stream) {
      this.#waitingSince = undefined;
      yield chunk;
      this.#waitingSince = performance.now();
    }
  }

  /** Runs until `signal` aborts; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { timing, isBehind, onStall } = this.#options;
    let interval = timing.first;
    let since = this.#waitingSince;
    let due = performance.now() + interval;
    while (await sleep(due - performance.now(), signal)) {
      if (this.#waitingSince === undefined || this.#waitingSince !== since) {
        since = this.#waitingSince;
        interval = timing.first;
        due = (since ?? performance.now()) + interval;
        continue;
      }
      const start = performance.now();
      const isSuspicious = await isBehind(signal).catch(() => false);
      const cost = performance.now() - start;
      if (isSuspicious && (await sleep(timing.grace, signal)) && this.#waitingSince === since) {
        onStall();
        return;
      }
      interval = Math.max(Math.min(timing.longest, 2 * interval), cost / greatestShare);
      due = performance.now() + interval;
    }
  }
}

/** @returns false if `signal` aborted */
async function sleep(ms: number, signal: AbortSignal): Promise<boolean> {
  return delay(Math.max(1, ms), true, { signal, ref: false }).catch(() => false);
}
