/** Version of the HTTP interface; the first segment of every path. */
export const apiVersion = 'v1';

/** An error's body. */
export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly fix?: string };
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
  /** What has failed for more than a minute, and why; for people. Empty: healthy. */
  readonly unhealthy: readonly string[];
  readonly jails: readonly string[];
  /** The logs that are read. */
  readonly sources: readonly SourceStats[];
  /** Containers that labels close to some. Undefined: none, or a controller that doesn't know of it. */
  readonly access?: readonly AccessStatus[];
}

/** What was read of a log. */
export interface SourceStats {
  readonly source: string;
  /** Null: of files, bytes are counted and not lines. */
  readonly lines: number | null;
  readonly bytes: number | null;
  /** Failures found. */
  readonly matched: number;
  /** Lines that were longer than 256 KiB, and cut. */
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
  /** Whether its bans are checked against the connections that the kernel saw: `on`, or `off: WHY`. */
  readonly corroboration: string;
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

/** Outcome of a ban or unban by hand: how many addresses changed, and the ones that couldn't. */
export interface HandResult {
  readonly count: number;
  readonly refused: readonly Refused[];
}

/** An address or prefix that was not acted on, or is banned still, and why. */
export interface Refused {
  readonly ip: string;
  readonly reason: string;
}

/** What a reload came to. */
export interface ReloadResult {
  /** False: the configuration could not be read or had faults that would stop a jail that runs; the old one stays. */
  readonly applied: boolean;
  readonly started: readonly string[];
  readonly changed: readonly string[];
  readonly stopped: readonly string[];
  /** What is wrong, with place and fix. */
  readonly problems: readonly { readonly where: string; readonly message: string; readonly fix: string }[];
}

/** A jail's options as they are in force, under fail2ban's names. */
export interface JailOptions {
  /** Seconds; -1: for ever. */
  readonly bantime: number;
  /** Seconds. */
  readonly findtime: number;
  readonly maxretry: number;
  readonly maxmatches: number;
  readonly maxlines: number;
  readonly usedns: string;
  /** `stdout`, `stderr` or `all`: the container's stream whose lines count. */
  readonly stream: string;
  /** Addresses, prefixes, names and `file:` entries, by configuration and by hand. */
  readonly ignoreip: readonly string[];
  readonly ignoreself: boolean;
  readonly ignorecommand: string | null;
  readonly ignorecache: string | null;
  readonly failregex: readonly string[];
  readonly ignoreregex: readonly string[];
  readonly prefregex: string | null;
  readonly datepattern: string | null;
  /** `UTC+0200`; null: the host's. */
  readonly logtimezone: string | null;
  readonly logencoding: string;
  /** Files that are read now. */
  readonly logpath: readonly string[];
  readonly journalmatch: readonly string[];
  /** `bantime.increment`, `bantime.factor`, … as strings; only those that are set. */
  readonly increment: Readonly<Record<string, string>>;
  readonly blocktype: string;
  readonly ipv6prefix: number;
}

/** What an operator changes in a running jail. It stands until a reload, a restart, or another change. */
export interface JailEdit {
  /** An option of these, as jail.local would spell its value: `bantime`, `findtime`, `maxretry`, `maxmatches`, `maxlines`, `usedns`, `ignoreself`, `datepattern`, `logtimezone`, `prefregex`, `logencoding`, `bantime.*`, … */
  readonly set?: Readonly<Record<string, string>> | undefined;
  readonly addignoreip?: readonly string[] | undefined;
  readonly delignoreip?: readonly string[] | undefined;
  readonly addfailregex?: readonly string[] | undefined;
  /** Indexes from 0. */
  readonly delfailregex?: readonly number[] | undefined;
  readonly addignoreregex?: readonly string[] | undefined;
  readonly delignoreregex?: readonly number[] | undefined;
}

/** What an event says. */
export interface LogEvent {
  readonly id: number;
  /** ISO 8601. */
  readonly time: string;
  readonly level: 'info' | 'warn' | 'error';
  readonly event: string;
  /** For people; as fail2ban words it. */
  readonly msg: string;
  readonly jail?: string;
  readonly ip?: string;
  readonly [field: string]: unknown;
}

/** Numbers since the start, unless it is said otherwise. */
export interface Stats {
  readonly version: string;
  /** ISO 8601. */
  readonly started: string;
  /** Seconds. */
  readonly uptime: number;
  /** Bytes. */
  readonly memory: { readonly resident: number; readonly heap: number };
  readonly store: { readonly trouble: string | null; readonly waiting: number };
  readonly jails: readonly JailStats[];
  readonly sources: readonly SourceStats[];
  /** Who was banned most often, of the addresses that are remembered; worst first. */
  readonly offenders: readonly Offender[];
  /** Of the addresses that are remembered, how many were banned last on each day; newest first. */
  readonly days: readonly BanDay[];
}

export interface JailStats {
  readonly jail: string;
  /** False: no container asks for it at present. */
  readonly active: boolean;
  readonly failures: number;
  readonly bans: number;
  /** Bans of earlier runs that were taken over. */
  readonly restored: number;
  readonly unbans: number;
  /** Bans that were not believed, since the address had no connection to the jail's ports. */
  readonly uncorroborated: number;
  readonly currentlyFailed: number;
  readonly currentlyBanned: number;
  /** In the last 60 seconds. */
  readonly lastMinute: { readonly failures: number; readonly bans: number };
  /** What is remembered, of this run and earlier ones. */
  readonly remembered: { readonly addresses: number; readonly bans: number };
}

export interface Offender {
  readonly ip: string;
  /** In all jails. */
  readonly bans: number;
  readonly jails: readonly string[];
  /** When it was banned last; ISO 8601. */
  readonly last: string;
}

export interface BanDay {
  /** `2026-11-22`, local time. */
  readonly day: string;
  readonly addresses: number;
}

/** Everything that concerns an address or prefix. */
export interface Why {
  readonly ip: string;
  /** Why no jail bans it: it is this host's, Docker's, …; null: it may be banned. */
  readonly neverBanned: string | null;
  /** The jails that it concerns, and those alone. */
  readonly jails: readonly WhyJail[];
  /** The newest events that name it, oldest first. */
  readonly events: readonly LogEvent[];
}

export interface WhyJail {
  readonly jail: string;
  readonly active: boolean;
  /** What it is counted and banned as: itself or, over IPv6, its prefix. */
  readonly countsAs: string;
  /** Failures that stand against it now; times ISO 8601. */
  readonly failures: {
    readonly count: number;
    readonly maxretry: number;
    readonly first: string;
    readonly last: string;
    /** What was logged of them. Attackers write this. */
    readonly lines: readonly string[];
  } | null;
  /** The bans in force: its own, those of prefixes around it, and those within a prefix that was asked for. */
  readonly bans: readonly BanDetail[];
  /** Bans that are over and remembered. */
  readonly past: readonly BanDetail[];
  /** The entry of the jail's `ignoreip` that covers it. */
  readonly ignoredBy: string | null;
}

/** A ban with all that is remembered of it. */
export interface BanDetail extends BanStatus {
  /** How often it was banned in this jail; null: not remembered. */
  readonly count: number | null;
  /** The failures that led to it; null: by hand, or not remembered. */
  readonly failures: number | null;
  readonly container: string | null;
  /** What was logged of it. Attackers write this. */
  readonly lines: readonly string[];
}

/** A ban on its way from one database to another. Times as in ISO 8601, with milliseconds. */
export interface TransferredBan {
  readonly jail: string;
  readonly ip: string;
  readonly since: string;
  /** Null: for ever. */
  readonly until: string | null;
  readonly count: number;
  readonly failures: number | null;
  readonly container: string | null;
  readonly lines: readonly string[];
}

/** What an import came to. */
export interface ImportResult {
  /** Bans in force. */
  readonly active: number;
  /** Bans that are over, of which the count is remembered. */
  readonly remembered: number;
  /** Of the bans in force, those that are enforced now. */
  readonly enforced: number;
  /** Bans in force that wait for their jail, by jail: no jail of that name has run yet. */
  readonly waiting: Readonly<Record<string, number>>;
  /** Addresses that are never banned here. */
  readonly refused: readonly Refused[];
}

/** An import's answer. */
export interface ImportAnswer extends ImportResult {
  /** Why entries that are no bans were left out, one text each. */
  readonly skipped: readonly string[];
}
