import type { Ban } from '../../jail/ban.ts';
import { idOf, type BanKey, type Refusal } from '../firewall.ts';
import type { Serial } from '../../async/serial.ts';

/** What is wanted of one address or prefix in one jail: this ban, or (undefined) none. */
export interface Request extends BanKey {
  readonly ban: Ban | undefined;
}

interface Batch {
  readonly requests: Map<string, Request>;
  readonly done: Promise<readonly Refusal[]>;
}

/**
 * Gathers what is asked for while an earlier batch is on its way, so that it goes together in the next. Of several requests for the
 * same ban the last counts.
 */
export class BanRequests {
  readonly #serial: Serial;
  readonly #carryOut: (requests: readonly Request[]) => Promise<readonly Refusal[]>;
  /** The batch that is still open for more. It is closed when its turn comes. */
  #next: Batch | undefined;

  /** @param carryOut brings one batch into the kernel; runs as a job of `serial` */
  constructor(serial: Serial, carryOut: (requests: readonly Request[]) => Promise<readonly Refusal[]>) {
    this.#serial = serial;
    this.#carryOut = carryOut;
  }

  /** Resolves, when all of them are carried out, to those of them that were refused. */
  async add(requests: readonly Request[]): Promise<readonly Refusal[]> {
    if (requests.length === 0) return [];
    this.#next ??= this.#open();
    const { done, requests: batch } = this.#next;
    for (const request of requests) batch.set(idOf(request), request);
    const refused = await done;
    if (refused.length === 0) return [];
    const mine = new Set(requests.map(idOf));
    return refused.filter((refusal) => mine.has(idOf(refusal)));
  }

  #open(): Batch {
    const requests = new Map<string, Request>();
    const done = this.#serial.run(() => {
      this.#next = undefined;
      return this.#carryOut([...requests.values()]);
    });
    return { requests, done };
  }
}
