import { parsePrefix, prefixOf } from './address.ts';

/**
 * The fewest of these addresses and prefixes that hold all of their addresses: without those that are within another one, sorted, so
 * that the same addresses always give the same list. What is neither address nor prefix is passed over.
 */
export function prefixCover(texts: Iterable<string>): string[] {
  const parsed = Array.from(texts, parsePrefix).filter((prefix) => prefix !== undefined);
  const kept = new Set<string>();
  const lengths = new Set<number>();
  // The wide ones first: whatever holds another one is known by then.
  for (const { address, bits } of parsed.toSorted((a, b) => a.bits - b.bits)) {
    if (lengths.values().some((wider) => kept.has(prefixOf(address, wider)))) continue;
    kept.add(prefixOf(address, bits));
    lengths.add(bits);
  }
  return [...kept].toSorted();
}
