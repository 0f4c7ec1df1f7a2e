import type { Refused } from './view-api.ts';

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
  attempt(jail: string, ips: readonly string[], lines: readonly string[]): Promise<AttemptResult | undefined>;
}

export interface AttemptResult {
  readonly count: number;
  readonly refused: readonly Refused[];
}
