/** What was counted of one id. */
export interface CountedFailures {
  /** Epoch milliseconds of the failure that opened the interval. */
  readonly first: number;
  /** Epoch milliseconds of the newest failure. */
  readonly last: number;
  readonly count: number;
  /** The newest matched lines that are kept, oldest first. */
  readonly lines: readonly string[];
}

/** The failures that a jail has counted, for whoever stores them: they have to survive with the position up to which was read. */
export interface FailureBook {
  /** What is to be stored in place of what is: the failures of an id, or nothing. */
  changes(): Iterable<readonly [id: string, failures: CountedFailures | undefined]>;
  /** The changes are stored. */
  settle(): void;
  /** What was stored is lost. */
  unsettle(): void;
  /** Takes over what an earlier run counted; what this one has counted of the same id stands. */
  restore(id: string, failures: CountedFailures): void;
}
