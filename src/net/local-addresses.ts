import { readFileSync } from 'node:fs';

/**
 * The IPv4 addresses of this network namespace by the kernel's routes (`/proc/net/fib_trie`), also those of interfaces without carrier,
 * such as a bridge that no container is on: `os.networkInterfaces()` leaves these out. Empty where that can't be read.
 */
export function localAddresses(): string[] {
  try {
    return addressesIn(readFileSync('/proc/net/fib_trie', 'utf8'));
  } catch {
    return [];
  }
}

/** @param trie as the kernel prints it: an address, and below it what the routes to it are */
export function addressesIn(trie: string): string[] {
  const found = trie.matchAll(/\|-- ([\d.]+)\n(?:\s+\/\d+ .*\n)*?\s+\/32 host LOCAL\n/g);
  return [...new Set([...found].map(([, address = '']) => address))];
}
