import type { CountedFailures } from '../jail/failure-counter.ts';

/** The failures that stand against one address or prefix in one jail. */
export interface FailureWrite {
  readonly jail: string;
  readonly ip: string;
  /** Undefined: none any more. */
  readonly failures: CountedFailures | undefined;
  /** Epoch milliseconds at which they stop counting. */
  readonly until: number;
}

/**
 * What is being counted. It is stored in one transaction with the positions up to which logs were read, so that after a crash
 * no line counts twice and none is forgotten.
 */
export interface Counting {
  /** What differs from what is stored. */
  changes(): Iterable<FailureWrite>;
  /** The changes are stored. */
  settle(): void;
  /** Everything is unsaved: the database was replaced. */
  unsettle(): void;
}

/**
 * The failures as this clock sees them: those of the future were counted while the clock was ahead, and keep their distance.
 * @param now epoch milliseconds
 */
export function countedBefore(failures: CountedFailures, now: number): CountedFailures {
  const ahead = failures.last - now;
  if (ahead <= 0) return failures;
  return { ...failures, first: failures.first - ahead, last: now };
}
