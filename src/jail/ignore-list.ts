import { BlockList } from 'node:net';
import { canonicalAddress, familyOf, parsePrefix } from '../address.ts';

/** The addresses and prefixes of `ignoreip`: their failures don't count. */
export class IgnoreList {
  readonly #addresses = new BlockList();

  /** @param entries addresses and prefixes; what is neither is passed over (config/ has reported it) */
  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const prefix = parsePrefix(entry);
      if (prefix) this.#addresses.addSubnet(prefix.address, prefix.bits, `ipv${prefix.family}`);
    }
  }

  has(id: string): boolean {
    const address = canonicalAddress(id);
    return address !== undefined && this.#addresses.check(address, `ipv${familyOf(address)}`);
  }
}
