/** One failure that a filter found. */
export interface Failure {
  /** What is to be banned: a canonical address, or (`<F-ID>`) any other identifier. */
  readonly id: string;
  /** Epoch milliseconds. */
  readonly time: number;
  /** How many failures this counts as; 1 but for filters that collect the attempts of a session. */
  readonly attempts: number;
  /** The matched lines, as logged. */
  readonly lines: readonly string[];
  /** `<F-USER>`, `<F-…>` captures by lower-case name. */
  readonly fields: Readonly<Record<string, string>>;
}
