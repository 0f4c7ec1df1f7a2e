import { BlockList } from 'node:net';
import { canonicalAddress, canonicalPrefix, familyOf, overlaps, parsePrefix } from '../net/address.ts';

/** The entries of `ignoreip`: addresses, prefixes and other ids whose failures don't count. */
export class IgnoreList {
  readonly #addresses = new BlockList();
  /** The same, as canonical text. */
  readonly #prefixes: string[] = [];
  readonly #ids = new Set<string>();

  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const prefix = parsePrefix(entry);
      if (prefix) {
        this.#addresses.addSubnet(prefix.address, prefix.bits, `ipv${prefix.family}`);
        this.#prefixes.push(canonicalPrefix(entry)!);
      } else this.#ids.add(entry);
    }
  }

  has(id: string): boolean {
    const address = canonicalAddress(id);
    if (address === undefined) return this.#ids.has(id);
    return this.#addresses.check(address, `ipv${familyOf(address)}`);
  }

  /** The first entry that has an address in common with a canonical address or prefix. */
  overlapping(ip: string): string | undefined {
    return this.#prefixes.find((entry) => overlaps(entry, ip));
  }
}
