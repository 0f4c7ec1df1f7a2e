/** Milliseconds before try number `failures` + 1: exponential from 200 ms to 30 s, jittered down by up to half. */
export function retryDelay(failures: number, random: () => number): number {
  const ceiling = Math.min(30_000, 200 * 2 ** Math.min(failures, 20));
  return ceiling * (1 - random() / 2);
}
