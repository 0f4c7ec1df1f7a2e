import type { Ban } from '../jail/ban.ts';
import { banEnd } from '../jail/ban-end.ts';

/** A ban as it is remembered, without what was logged. `ip` may also be a prefix in canonical form. */
export interface BanRecord extends Ban {
  /** How often this address was banned in this jail, this time included; 1 or more. */
  readonly count: number;
  /** The failures that led to it; undefined: banned by hand. */
  readonly failures: number | undefined;
  /** The container that logged the last of them, where that is known. */
  readonly container: string | undefined;
}

/** No ban has a count of bans or failures beyond this. */
export const mostCount = 1_000_000;

/** A ban with the log lines that led to it. */
export interface StoredBan extends BanRecord {
  /** The last of the matched lines. The store keeps `matchLimits` of them. */
  readonly lines: readonly string[];
}

/** What is known of a ban beside itself. */
export interface BanDetails {
  /** Undefined: as often as is remembered, and at least once. */
  readonly count?: number | undefined;
  readonly failures?: number | undefined;
  readonly container?: string | undefined;
  readonly lines?: readonly string[] | undefined;
}

/** Whether a ban is in force. @param now epoch milliseconds */
export function isActive({ until }: Pick<Ban, 'until'>, now: number): boolean {
  return until === undefined || until > now;
}

/**
 * Whether a ban that may be over still counts for `bantime.increment`: as in fail2ban, for `age` after it began or, if
 * that is later, after three times its duration. (fail2ban 1.0: server/database.py, `_purge_bips`.)
 *
 * @param age milliseconds
 */
export function isRemembered(ban: Pick<Ban, 'since' | 'until'>, now: number, age: number): boolean {
  if (ban.until === undefined || ban.until > now) return true;
  return Math.max(ban.since, ban.since + outdatedFactor * (ban.until - ban.since)) >= now - age;
}

/** See `isRemembered`. */
export const outdatedFactor = 3;

/** A ban of another database beside what is remembered: of the two the one that ends later, with the higher count. */
export function merged(theirs: StoredBan, ours: StoredBan | undefined): StoredBan {
  if (!ours) return theirs;
  const later = (ours.until ?? Infinity) >= (theirs.until ?? Infinity) ? ours : theirs;
  return { ...later, count: Math.max(ours.count, theirs.count) };
}

/**
 * The ban as this clock sees it: one that began in the future was made while the clock was ahead, and lasts no longer than it was
 * meant to.
 */
export function seenFrom<T extends Ban>(ban: T, now: number): T {
  if (ban.since <= now) return ban;
  const { since, until } = ban;
  return { ...ban, since: now, until: banEnd(until === undefined ? undefined : now + (until - since)) };
}
