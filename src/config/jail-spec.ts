import type { Protocol } from '../docker/snapshot.ts';
import type { FilterSpec } from '../filter/spec.ts';
import type { BanTimeIncrement } from './options/bantime-increment.ts';
import type { IgnoreCache } from './options/ignore-cache.ts';

/** A contiguous range of host ports that a ban closes. */
export interface ClosedPort {
  readonly protocol: Protocol;
  readonly first: number;
  /** Inclusive. */
  readonly last: number;
  /** The one host address it is published on; undefined: all. */
  readonly hostAddress: string | undefined;
}

/** What a ban closes to the offender: everything, or these host ports. */
export type Closes = 'all' | readonly ClosedPort[];

/** What a ban does to packets: `drop` them, or `reject` (a reset for TCP, port unreachable for everything else). */
export type BlockType = 'drop' | 'reject';

/**
 * A container that stands in a local network by itself (macvlan, ipvlan). Its packets pass none of the host's chains, only the ingress of one of
 * its interfaces.
 */
export interface DirectPath {
  /** The host's interface that is the network's parent. */
  readonly parent: string;
  /** The container's addresses there, canonical. At least one. */
  readonly addresses: readonly string[];
  /** What a ban closes at these addresses. */
  readonly closes: Closes;
}

/** What the option `corroborate` may say. */
export const corroborateChoices = ['auto', 'on', 'off'] as const;
export type CorroborateChoice = (typeof corroborateChoices)[number];

/**
 * Whether bans are checked against the connections that the kernel saw: an address whose lines lead to a ban must have had one to these ports.
 * `off`: they aren't, and why, for people.
 */
export type Corroboration = { readonly ports: readonly ClosedPort[] } | { readonly off: string };

/** What the label `fail2ban.source` may say; `auto`: by the container's log driver. */
export const sourceChoices = ['auto', 'docker', 'syslog', 'journald', 'file'] as const;
export type SourceChoice = (typeof sourceChoices)[number];

/** Where a jail's lines come from. Lines of a container are attributed by the driver's metadata, never by their text. */
export type SourceSpec =
  | {
      readonly kind: 'syslog';
      readonly program: string;
      readonly container: string;
      /** Its log driver sends to dock2ban itself; else the lines are in the host's syslog file. */
      readonly via?: 'receiver';
      /** The receiver's listener that it sends to, as `listenerKey` gives it. */
      readonly listener?: string;
      readonly containerId: string;
      /** Docker keeps the container's log too. */
      readonly isCopied?: true;
      /** Id of the container whose log Docker keeps too, to be read while the lines can't be had this way. */
      readonly fallback?: string;
    }
  | { readonly kind: 'docker'; readonly containerId: string; readonly container: string }
  | {
      readonly kind: 'journald';
      /** Groups of `FIELD=value`; an entry of the journal that meets all of any group is taken. None: every entry. */
      readonly matches: readonly (readonly string[])[];
      readonly container: string | undefined;
      /** As for `syslog`. */
      readonly fallback?: string;
    }
  | {
      readonly kind: 'file';
      readonly pattern: string;
      readonly from: 'head' | 'tail';
      readonly container: string | undefined;
      /** Look at the file again and again instead of waiting for the kernel's notice (`backend = polling`). */
      readonly polling?: boolean;
      /** Folders that no file may be outside of, wherever links lead. Of labels. */
      readonly within?: readonly string[];
    }
  /** The bans of the other jails, as they are made. */
  | { readonly kind: 'bans'; readonly container: undefined };

/** A jail, ready to run: every option from labels, files, defaults resolved and validated. */
export interface JailSpec {
  readonly name: string;
  readonly filter: FilterSpec;
  readonly sources: readonly SourceSpec[];
  readonly closes: Closes;
  readonly blocktype: BlockType;
  /** Its containers that stand in a local network by themselves. */
  readonly direct?: readonly DirectPath[];
  readonly corroboration: Corroboration;
  /** IPv6 offenders are counted and banned by their prefix of so many bits; 128: by address. */
  readonly ipv6prefix: number;
  /** Failures that make a ban. */
  readonly maxretry: number;
  /** Seconds. */
  readonly findtime: number;
  /** Seconds; -1 is for ever. */
  readonly bantime: number;
  /** Addresses and prefixes. */
  readonly ignoreip: readonly string[];
  readonly ignoreself: boolean;
  /** Names of the containers bound to it by label; none for a jail of host services. */
  readonly containers: readonly string[];
  /** Lines to keep an offender; undefined: as many as `maxretry`. */
  readonly maxmatches?: number;
  /** DNS names and other identifiers of `ignoreip`. */
  readonly ignoreNames?: readonly string[];
  /** Files of `ignoreip`, each with addresses and names one a line; to be read again when they change. */
  readonly ignoreFiles?: readonly string[];
  /** A program and its arguments, `<tags>` not yet replaced; exit code 0: ignore. Never from a label. */
  readonly ignoreCommand?: readonly string[];
  readonly ignoreCache?: IgnoreCache;
  /** How bans grow for those who come back; undefined: they don't. */
  readonly increment?: BanTimeIncrement;
  /** The options `bantime.*` as they are written, also while bans don't grow; only those that are set. */
  readonly incrementTexts?: Readonly<Record<string, string>>;
  /** Encoding of the log, as `TextDecoder` knows it; undefined: UTF-8. */
  readonly logEncoding?: string;
}

/** Something in a label or file that can't be used. It concerns what it names and nothing else. */
export interface ConfigProblem {
  /** `warn`: something is left out for it; `doubt`: it works, but may not be what is meant. */
  readonly severity: 'warn' | 'doubt' | 'info';
  /** `container nginx, label fail2ban.maxretry=many`, or `/etc/fail2ban/jail.local:12`. */
  readonly where: string;
  readonly message: string;
  readonly fix: string;
  readonly jail?: string;
  readonly container?: string;
}
