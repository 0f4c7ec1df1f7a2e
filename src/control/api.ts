/** Version of the HTTP interface; the first segment of every path. */
export const apiVersion = 'v1';

/** What a jail is doing. Counts as fail2ban's `status JAIL` gives them. */
export interface JailStatus {
  readonly jail: string;
  readonly currentlyFailed: number;
  readonly totalFailed: number;
  /** Log files, or what stands for them (`docker:NAME`). */
  readonly sources: readonly string[];
  readonly containers: readonly string[];
  /** `all`, or what a ban closes in the form of the label: `80/tcp`. */
  readonly ports: 'all' | readonly string[];
  readonly currentlyBanned: number;
  readonly totalBanned: number;
  readonly banned: readonly BanStatus[];
}

export interface BanStatus {
  /** Canonical address or prefix. */
  readonly ip: string;
  /** ISO 8601. */
  readonly since: string;
  /** ISO 8601; null: for ever. */
  readonly until: string | null;
}

/** What the controller is doing. */
export interface Status {
  readonly version: string;
  readonly docker: { readonly connected: boolean; readonly version: string | null };
  readonly firewall: { readonly backend: string; readonly healthy: boolean };
  readonly jails: readonly string[];
}

/** An address or prefix that was not acted on, or is banned still, and why. */
export interface Refused {
  readonly ip: string;
  readonly reason: string;
}

/** Outcome of a ban or unban by hand: how many addresses changed, and the ones that couldn't. */
export interface HandResult {
  readonly count: number;
  readonly refused: readonly Refused[];
}

/** What the control server asks of the controller. Unknown jails are undefined. */
export interface Controller {
  status(): Status;
  jail(name: string): JailStatus | undefined;
  /** Jail → banned addresses and prefixes. */
  banned(): Readonly<Record<string, readonly string[]>>;
  /** @param ips canonical addresses and prefixes */
  ban(jail: string, ips: readonly string[]): Promise<HandResult | undefined>;
  /** @param jail undefined: all jails  @param ips canonical addresses, and prefixes with all that is in them; empty: every ban */
  unban(jail: string | undefined, ips: readonly string[]): Promise<HandResult | undefined>;
}

/** An error's body. */
export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string };
}
