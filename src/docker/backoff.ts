/** Milliseconds before try number `failures` + 1: exponential from 100 ms to 15 s, jittered down by up to half. */
export function backoffDelay(failures: number, random: () => number): number {
  const ceiling = Math.min(15_000, 100 * 2 ** Math.min(failures, 20));
  return ceiling * (1 - random() / 2);
}
