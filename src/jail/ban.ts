/** An address or prefix that a jail shuts out. */
export interface Ban {
  readonly jail: string;
  /** Canonical address, or prefix in CIDR form: host bits are zero, and a prefix of full length is written as the address. */
  readonly ip: string;
  /** Epoch milliseconds. */
  readonly since: number;
  /** Epoch milliseconds, as `banEnd` gives it; undefined: for ever. */
  readonly until: number | undefined;
}
