import type { LiveControl } from './live-api.ts';
import type { Refused, SourceStats, Views } from './view-api.ts';

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

/** What was read of a log since the start. */
export interface SourceStatus extends SourceStats {
  /** Lines longer than 256 KiB, and cut. */
  readonly cut: number;
  /** Times when lines were removed before they could be read, or may have been. */
  readonly gaps: number;
  /** Lines lost because they came faster than they could be read. */
  readonly dropped: number;
}

/** Who gets to a container's published ports, by its labels. */
export interface AccessStatus {
  readonly container: string;
  /** In the form of the label `fail2ban.port`: `80/tcp`. */
  readonly ports: readonly string[];
  /** Addresses and prefixes; null: everyone; empty: nobody. */
  readonly allowfrom: readonly string[] | null;
  /** Addresses and prefixes. */
  readonly denyfrom: readonly string[];
}

/** What the controller is doing. */
export interface Status {
  readonly version: string;
  readonly docker: {
    readonly connected: boolean;
    readonly version: string | null;
    /** What it doesn't tell, or can't be used of what it tells; for people. Undefined: nothing. */
    readonly troubles?: readonly string[];
  };
  readonly firewall: {
    readonly backend: string;
    /** Whether everything that should be enforced was, at the last look. */
    readonly healthy: boolean;
    /** What was not, and why; for people. */
    readonly troubles: readonly string[];
  };
  readonly jails: readonly string[];
  /** The logs that are read. */
  readonly sources: readonly SourceStatus[];
  /** Containers that labels close to some. Undefined: none, or a controller that doesn't know of it. */
  readonly access?: readonly AccessStatus[];
}

/** Outcome of a ban or unban by hand: how many addresses changed, and the ones that couldn't. */
export interface HandResult {
  readonly count: number;
  readonly refused: readonly Refused[];
}

/** What the control server asks of the controller. Unknown jails are undefined. */
export interface Controller {
  /** What an operator looks at, and takes along. */
  readonly views: Views;
  /** What changes jails while they run. */
  readonly live: LiveControl;
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
  readonly error: { readonly code: string; readonly message: string; readonly fix?: string };
}
