import type {
  HandResult,
  ImportResult,
  JailEdit,
  JailOptions,
  JailStatus,
  ReloadResult,
  Stats,
  Status,
  TransferredBan,
  Why,
} from './api.ts';

/** What the control server asks of the controller. Unknown jails are undefined. */
export interface Controller {
  /** What an operator can view, export and import. */
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

/** The part of the controller that changes jails while they run. Unknown jails are undefined. */
export interface LiveControl {
  /**
   * Reads the configuration again.
   * @param jail only this one's changes are taken
   * @param restart what the jails have counted is forgotten, if the configuration is taken; their bans stay in force
   */
  reload(jail: string | undefined, restart?: boolean): Promise<ReloadResult | undefined>;
  options(jail: string): JailOptions | undefined;
  /** @throws Dock2banError `invalid-option`, of the value that can't be used; nothing is changed then */
  edit(jail: string, edit: JailEdit): Promise<JailOptions | undefined>;
  /** Starts a jail that was stopped by hand, or that the configuration defines but does not enable. */
  start(jail: string): Promise<boolean>;
  /** Stops a jail, lifts its bans and forgets what it has counted, as fail2ban does, until it is started, or by a reload. False: no such jail. */
  stop(jail: string): Promise<boolean>;
  /** Counts failures of addresses as if they had been logged now: one each, or one for each line. @param lines kept as what matched */
  attempt(jail: string, ips: readonly string[], lines: readonly string[]): Promise<HandResult | undefined>;
}

/** What an operator can view, export and import. */
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

/** The live stream of log events, with the newest ones that are past. */
export interface EventSource {
  /** What is held of the events after an id, oldest first. */
  after(id: number): readonly StreamedEvent[];
  /** @param take called with each event, at once; must not throw  @returns ends it */
  subscribe(take: (event: StreamedEvent) => void): () => void;
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
