import { lookup } from 'node:dns/promises';
import { setTimeout } from 'node:timers/promises';
import { canonicalAddress } from '../../net/address.ts';
import type { NameResolver } from '../../filter/resolver.ts';

/** Finds the addresses of a name; rejects if it has none. */
export type Lookup = (name: string) => Promise<readonly string[]>;

const atOnce = 16;
/** Milliseconds for one name. */
const patience = 5_000;

/** Answers from what has been looked up, and remembers what it was asked in vain: a log is then run a second time. */
export class ResolvedNames implements NameResolver {
  readonly #known = new Map<string, readonly string[]>();
  readonly #asked = new Set<string>();
  readonly #lookup: Lookup;

  constructor(lookUp: Lookup = systemLookup) {
    this.#lookup = lookUp;
  }

  lookup(name: string): readonly string[] | undefined {
    const known = this.#known.get(name);
    if (!known) this.#asked.add(name);
    return known;
  }

  /** Looks up all names that were asked for. @returns whether there were any */
  async resolveAsked(): Promise<boolean> {
    const names = [...this.#asked];
    this.#asked.clear();
    const next = names.values();
    await Promise.all(
      Array.from({ length: Math.min(atOnce, names.length) }, async () => {
        for (const name of next) this.#known.set(name, await this.#addresses(name));
      }),
    );
    return names.length > 0;
  }

  async #addresses(name: string): Promise<readonly string[]> {
    try {
      const found = await Promise.race([this.#lookup(name), setTimeout(patience, [], { ref: false })]);
      return [...new Set(found.flatMap((address) => canonicalAddress(address) ?? []))];
    } catch {
      // A name without address is no failure, as in fail2ban.
      return [];
    }
  }
}

async function systemLookup(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}
