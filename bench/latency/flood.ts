import type { Client } from '../../test/lab/client.ts';
import type { RequestRecord } from '../../test/lab/client-protocol.ts';

/** Requests a second below which a flood is none. */
export const leastFloodRate = 2000;
/** Requests a second that are asked for: more than must be reached, as the machine may be busy. */
const wanted = 3500;
/** Series that share the rate: a series that sends more than one request a millisecond spends a whole core on waiting. */
const shares = 3;
const connectionsEach = 10;
/** Milliseconds of one series; the next begins when it ends, without a pause. */
const chunk = 3000;
/** A flood ends by itself after this many milliseconds. */
const longest = 60_000;
/** The shortest span over which a rate is taken, in milliseconds. */
const rateSpan = 2500;

/** An honest client's many requests over connections that stay open, all of them answered with 200. */
export class Flood {
  readonly #stop = new AbortController();
  readonly #records: Promise<RequestRecord[]>;

  private constructor(client: Client, url: string) {
    this.#records = this.#run(client, url);
    // Whoever asks for the rate learns of it.
    this.#records.catch(() => undefined);
  }

  static start(client: Client, url: string): Flood {
    return new Flood(client, url);
  }

  /** No further series begins. */
  stop(): void {
    this.#stop.abort();
  }

  /**
   * Responses a second in a span of time (epoch milliseconds), and before it if it is short. Resolves when the flood has ended.
   *
   * @throws if anything but 200 was answered
   */
  async rate(from: number, until: number): Promise<number> {
    const records = await this.#records;
    const odd = records.find(({ outcome }) => outcome !== 200);
    if (odd) throw new Error(`the honest client of the flood was not served: ${odd.outcome}`);
    const begin = Math.min(from, until - rateSpan);
    const inside = records.filter(({ endedAt }) => endedAt >= begin && endedAt < until);
    return (inside.length / (until - begin)) * 1000;
  }

  async #run(client: Client, url: string): Promise<RequestRecord[]> {
    const started = performance.now();
    const running: Promise<readonly RequestRecord[]>[] = [];
    for (let at = 0; at < longest && !this.#stop.signal.aborted; at += chunk) {
      for (let i = 0; i < shares; i++) running.push(client.series(url, series));
      await pause(started + at + chunk - performance.now());
    }
    return (await Promise.all(running)).flat();
  }
}

const series = {
  intervalMs: (1000 * shares) / wanted,
  count: Math.ceil((wanted * chunk) / 1000 / shares),
  durationMs: chunk,
  connections: connectionsEach,
  timeoutMs: 10_000,
};

async function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
