/** The first and the longest delay between tries, milliseconds. */
export interface Backoff {
  readonly first: number;
  readonly longest: number;
}

/** Milliseconds before try number `failures` + 1: doubled with each failure up to the longest, jittered down by up to half. */
export function backoffDelay({ first, longest }: Backoff, failures: number, random: () => number): number {
  const ceiling = Math.min(longest, first * 2 ** Math.min(failures, 20));
  return ceiling * (1 - random() / 2);
}
