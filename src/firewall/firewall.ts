import type { Family } from '../net/address.ts';
import type { AccessSpec } from '../config/labels/access-spec.ts';
import type { BlockType, ClosedPort, Closes, DirectPath } from '../config/jail-spec.ts';
import type { Ban } from '../jail/ban.ts';
import type { FirewallError } from './tool/errors.ts';

/** Whose connections are noted as those of a jail's visitors. */
export interface Watch {
  /** Those of TCP and UDP count. */
  readonly ports: readonly ClosedPort[];
  /** Seconds from a visitor's last packet for which it is known. */
  readonly seconds: number;
}

/** An address that a log names. */
export interface Mention {
  /** Canonical. */
  readonly address: string;
  /** When the line was logged, epoch milliseconds. */
  readonly logged: number;
}

/** A jail as the firewall sees it. */
export interface GuardedJail {
  readonly name: string;
  readonly closes: Closes;
  /** What becomes of an offender's packets: dropped, or refused so that its client knows at once. */
  readonly blocktype: BlockType;
  /** Its containers that stand in a local network by themselves, past the host's chains. */
  readonly direct?: readonly DirectPath[];
  /** Undefined: its bans are not to be checked against connections. */
  readonly watch?: Watch;
}

/** One ban's identity. */
export interface BanKey {
  readonly jail: string;
  /** Canonical address or prefix, as in Ban. */
  readonly ip: string;
}

/** Names a ban in one text. */
export function idOf({ jail, ip }: BanKey): string {
  return `${ip} ${jail}`;
}

/** Why an address must never be banned. */
export type NeverBanKind = 'loopback' | 'host' | 'gateway' | 'docker-network' | 'special' | 'ignoreip';

/** A ban that was not put into the kernel, and why. */
export interface Refusal extends BanKey {
  /** `kernel`: the kernel would not take it. */
  readonly kind: NeverBanKind | 'kernel';
  readonly reason: string;
}

/** Something of ours that was missing from the kernel, or wrong there, and has been put right. */
export interface Repair {
  readonly what: 'table' | 'chain' | 'jump' | 'set' | 'members';
  /** Undefined: both. */
  readonly family: Family | undefined;
  /** For people: `jump from DOCKER-USER to DOCK2BAN was missing`. */
  readonly detail: string;
}

/** Something that is not enforced, what follows from it, and why. */
export interface Shortfall {
  /** Undefined: all jails. */
  readonly jail: string | undefined;
  /** Undefined: both. */
  readonly family: Family | undefined;
  /** For people: `bans of jail sshd are not enforced over IPv6`. */
  readonly consequence: string;
  readonly error: FirewallError;
}

export interface Reconciliation {
  readonly repairs: readonly Repair[];
  readonly shortfalls: readonly Shortfall[];
  /** Bans that are out of the kernel because their address has become one that must not be banned; to be asked for again when that is over. */
  readonly refused: readonly Refusal[];
}

/** What enforces the bans, and why it was chosen. */
export interface FirewallInfo {
  readonly backend: 'docker-user' | 'nftables' | 'none';
  /** Of iptables; undefined: the backend has no variants. */
  readonly variant: 'nft' | 'legacy' | undefined;
  /** The chain from which forwarded packets reach our rules (`forward`: nftables' own hook); undefined: that family is not enforced. */
  readonly entry: Readonly<Record<Family, 'DOCKER-USER' | 'FORWARD' | 'forward' | undefined>>;
  /** For people, one sentence each. */
  readonly remarks: readonly string[];
}

/**
 * Keeps bans in force. It remembers what it was asked for (jails by `reconcile`, bans by `ban` and `unban`) and brings
 * the kernel to that state; whatever fails now is put right by a later `reconcile`. Calls may overlap.
 */
export interface BanFirewall {
  /** What was found at the last look. Undefined before `open`. */
  readonly info: FirewallInfo | undefined;

  /** Looks at what there is; changes nothing. @throws FirewallError if nothing can be enforced here */
  open(): Promise<FirewallInfo>;

  /**
   * Makes the bans that the kernel holds for these jails this firewall's own, and returns them (`since` is now; `until` is the kernel's,
   * at most 24.8 days ahead: of a longer ban only a store can tell the true end, by another `ban`). To be called for every jail before the `reconcile` that first names it; otherwise its unknown bans stay in the
   * kernel until they end. Those of addresses that must not be banned are told, too, but are taken out of the kernel.
   */
  takeOver(jails: readonly string[]): Promise<ReadonlyMap<string, readonly Ban[]>>;

  /**
   * Compares the kernel with what it should hold, and repairs it without a moment in which a ban is open or honest traffic is cut.
   * Writes nothing if nothing differs; what can't be written is told, not thrown. Bans of jails that are no longer named stay in their sets, but close nothing.
   * @param access who gets to which container, whatever the bans; default: everyone gets to all
   */
  reconcile(jails: readonly GuardedJail[], access?: readonly AccessSpec[]): Promise<Reconciliation>;

  /**
   * Resolves when the bans are in force. Those asked for while a batch is on its way go together in the next.
   * @throws FirewallError if the kernel could not be written; the bans are kept for the next `reconcile`
   */
  ban(bans: readonly Ban[]): Promise<readonly Refusal[]>;

  /** Resolves when the bans are out of the kernel. @throws FirewallError as `ban` does */
  unban(bans: readonly BanKey[]): Promise<void>;

  /** Removes every trace of ours from the kernel, and forgets all bans. */
  flush(): Promise<void>;

  /** Ends helper processes, after what was asked for has been written. The kernel keeps the bans. */
  close(): Promise<void>;
}

/** A firewall that can also tell who never spoke to a jail's services. */
export interface Firewall extends BanFirewall {
  /** Why nobody's connections are noted; undefined: they are, or needn't be. */
  readonly unwatched: string | undefined;

  /**
   * Those of some addresses that surely had no connection to what the jail watches, in the time of the watch. Who can't be told from a
   * visitor is none of them, nor is anybody if the jail isn't watched. Never rejects.
   */
  strangers(jail: string, mentions: readonly Mention[]): Promise<ReadonlySet<string>>;
}

/** A firewall whose bans another one can take over. */
export interface MovableFirewall extends BanFirewall {
  /** The bans that were asked for and haven't ended. */
  readonly bans: Iterable<Ban>;
}
