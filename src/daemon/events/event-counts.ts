import type { StreamedEvent } from '../../control/controller.ts';

/** Seconds of one bucket of the last minute. */
const bucketSeconds = 5;
const buckets = 60 / bucketSeconds;

/** What happened in a jail since the start. */
export interface JailEvents {
  readonly banned: number;
  readonly restored: number;
  readonly unbanned: number;
  readonly lastMinute: { readonly failures: number; readonly bans: number };
}

/** Counts the events of jails. */
export class EventCounts {
  readonly #clock: () => number;
  readonly #jails = new Map<string, Counter>();

  /** @param clock epoch milliseconds */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  take({ event, jail }: StreamedEvent): void {
    if (jail === undefined || !counted.has(event)) return;
    let counter = this.#jails.get(jail);
    if (!counter) this.#jails.set(jail, (counter = new Counter()));
    counter.add(event, this.#clock());
  }

  of(jail: string): JailEvents {
    return (this.#jails.get(jail) ?? new Counter()).read(this.#clock());
  }
}

const counted: ReadonlySet<string> = new Set(['found', 'ban', 'restore', 'unban']);

class Counter {
  readonly #totals = new Map<string, number>();
  readonly #failures = Array.from({ length: buckets }, () => 0);
  readonly #bans = Array.from({ length: buckets }, () => 0);
  /** The number of the bucket that was counted in last. */
  #slot = 0;

  add(event: string, now: number): void {
    this.#totals.set(event, (this.#totals.get(event) ?? 0) + 1);
    this.#advance(now);
    if (event === 'found') this.#failures[this.#slot % buckets]! += 1;
    if (event === 'ban') this.#bans[this.#slot % buckets]! += 1;
  }

  read(now: number): JailEvents {
    this.#advance(now);
    return {
      banned: this.#totals.get('ban') ?? 0,
      restored: this.#totals.get('restore') ?? 0,
      unbanned: this.#totals.get('unban') ?? 0,
      lastMinute: { failures: sum(this.#failures), bans: sum(this.#bans) },
    };
  }

  #advance(now: number): void {
    const slot = Math.floor(now / (bucketSeconds * 1000));
    // A clock that was set back counts on where it was.
    if (slot <= this.#slot) return;
    for (let passed = Math.max(this.#slot + 1, slot - buckets + 1); passed <= slot; passed++) {
      this.#failures[passed % buckets] = 0;
      this.#bans[passed % buckets] = 0;
    }
    this.#slot = slot;
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}
