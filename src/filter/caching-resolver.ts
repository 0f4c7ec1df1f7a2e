import { lookup } from 'node:dns/promises';
import { canonicalAddress } from '../net/address.ts';
import type { NameResolver } from './resolver.ts';

/** All addresses of a name; rejects if there is none. */
export type LookUp = (name: string) => Promise<readonly string[]>;

interface Entry {
  /** Undefined: still being looked up. */
  addresses: readonly string[] | undefined;
  /** Epoch milliseconds. */
  expires: number;
  waiting: ((addresses: readonly string[]) => void)[];
}

const maxAge = 300_000;
const maxNames = 1000;
/** Attackers choose the names: no more than this are asked for at a time, and of one no more failures wait. */
const maxPending = 32;
const maxWaiting = 100;

/**
 * Looks names up in the background and remembers for 5 minutes what it got, also that there was nothing (as fail2ban
 * does, 1.0). A name that comes while too many others are being looked up counts as unknown.
 */
export class CachingResolver implements NameResolver {
  readonly #entries = new Map<string, Entry>();
  readonly #lookUp: LookUp;
  readonly #clock: () => number;
  #pending = 0;

  constructor(lookUp: LookUp = lookUpBySystem, clock: () => number = Date.now) {
    this.#lookUp = lookUp;
    this.#clock = clock;
  }

  lookup(name: string, whenKnown: (addresses: readonly string[]) => void): readonly string[] | undefined {
    const entry = this.#entries.get(name);
    if (entry && (entry.addresses === undefined || entry.expires > this.#clock())) {
      if (entry.addresses === undefined && entry.waiting.length < maxWaiting) entry.waiting.push(whenKnown);
      return entry.addresses;
    }
    if (this.#pending >= maxPending) return [];
    this.#entries.delete(name);
    if (this.#entries.size >= maxNames) this.#entries.delete(this.#entries.keys().next().value!);
    const asked: Entry = { addresses: undefined, expires: Infinity, waiting: [whenKnown] };
    this.#entries.set(name, asked);
    void this.#ask(name, asked);
    return undefined;
  }

  async #ask(name: string, entry: Entry): Promise<void> {
    this.#pending += 1;
    let found: readonly string[] = [];
    try {
      found = await this.#lookUp(name);
    } catch {
      // A name without addresses is an everyday thing in logs.
    }
    this.#pending -= 1;
    const addresses = [...new Set(found.flatMap((address) => canonicalAddress(address) ?? []))];
    entry.addresses = addresses;
    entry.expires = this.#clock() + maxAge;
    for (const tell of entry.waiting.splice(0)) tell(addresses);
  }
}

async function lookUpBySystem(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true });
  return found.map(({ address }) => address);
}
