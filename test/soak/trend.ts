/** The middle one. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/**
 * By how much values have grown from the middle third of the time to the last: the first, in which everything is met for the first
 * time, doesn't count, and single values may be out of line.
 */
export function growth(values: readonly number[]): number {
  const third = Math.floor(values.length / 3);
  return median(values.slice(-third)) - median(values.slice(third, -third));
}
