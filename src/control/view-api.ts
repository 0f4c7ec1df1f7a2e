/** An address or prefix that was not acted on, or is banned still, and why. */
export interface Refused {
  readonly ip: string;
  readonly reason: string;
}

/** A log event as the stream carries it. */
export interface StreamedEvent {
  /** Grows by one from event to event, and over restarts too. */
  readonly id: number;
  /** `ban`, `found`, `firewall-repaired`, … */
  readonly event: string;
  readonly jail: string | undefined;
  /** The whole event on one line: a `LogEvent`. */
  readonly json: string;
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

/** The live stream of log events, with the newest ones that are past. */
export interface EventSource {
  /** What is held of the events after an id, oldest first. */
  after(id: number): readonly StreamedEvent[];
  /** @param take called with each event, at once; must not throw  @returns ends it */
  subscribe(take: (event: StreamedEvent) => void): () => void;
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
  readonly currentlyFailed: number;
  readonly currentlyBanned: number;
  /** In the last 60 seconds. */
  readonly lastMinute: { readonly failures: number; readonly bans: number };
  /** What is remembered, of this run and earlier ones. */
  readonly remembered: { readonly addresses: number; readonly bans: number };
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

/** A ban with all that is remembered of it. */
export interface BanDetail {
  readonly ip: string;
  /** ISO 8601. */
  readonly since: string;
  /** ISO 8601; null: for ever. */
  readonly until: string | null;
  /** How often it was banned in this jail; null: not remembered. */
  readonly count: number | null;
  /** The failures that led to it; null: by hand, or not remembered. */
  readonly failures: number | null;
  readonly container: string | null;
  /** What was logged of it. Attackers write this. */
  readonly lines: readonly string[];
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

/** What an operator looks at, and takes along. */
export interface Views {
  readonly events: EventSource;
  stats(): Stats;
  /** @param ip canonical address or prefix */
  why(ip: string): Why;
  /** All bans, in force and remembered, as JSON with a ban on each line; each text is a piece of it. */
  export(): Iterable<string>;
  /** Takes bans over: of two of an address in a jail the one that ends later stays, and the higher count. */
  import(bans: readonly TransferredBan[]): Promise<ImportResult>;
}
