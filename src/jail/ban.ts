/** An address that a jail shuts out. */
export interface Ban {
  readonly jail: string;
  /** Canonical address. */
  readonly ip: string;
  /** Epoch milliseconds. */
  readonly since: number;
  /** Epoch milliseconds; undefined: for ever. */
  readonly until: number | undefined;
}
