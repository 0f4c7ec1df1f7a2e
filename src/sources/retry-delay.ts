import { backoffDelay } from '../async/backoff.ts';

/** Milliseconds before try number `failures` + 1 to read a source that failed. */
export function retryDelay(failures: number, random: () => number): number {
  return backoffDelay({ first: 200, longest: 30_000 }, failures, random);
}
