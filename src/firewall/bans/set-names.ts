import { createHash } from 'node:crypto';
import type { Family } from '../../net/address.ts';

/** The kernel's limit for a set's name (IPSET_MAXNAMELEN less the final zero). */
const longestName = 31;

/** The set of every banned address and prefix of a family, whatever its jail. */
export function allSet(family: Family): string {
  return `dock2ban-${family}`;
}

/**
 * The set of what a jail bans of a family. A name that is too long, or has characters that don't belong into a command's
 * line, is cut short and made unique by a hash.
 */
export function jailSet(jail: string, family: Family): string {
  const prefix = `${allSet(family)}-`;
  const room = longestName - prefix.length;
  // Shorter by one than a hashed name always is, so that no jail can be named like another's hashed set.
  if (jail.length < room && /^[\w.-]+$/.test(jail)) return prefix + jail;
  const hash = createHash('sha256').update(jail).digest('base64url').slice(0, hashLength);
  const start = jail.replaceAll(/[^\w.-]/g, '_').slice(0, room - hashLength - 1);
  return `${prefix}${start.padEnd(room - hashLength - 1, '_')}-${hash}`;
}

/** Of base64url, 66 bits: nobody finds two jails that share a set. */
const hashLength = 11;

/** A set that access rules look into. @param id up to 19 letters and digits */
export function accessSet(family: Family, id: string): string {
  return `dock2ban-a${family}-${id}`;
}

/** Whether a set of this name is one of those. */
export function isAccessSet(name: string): boolean {
  return /^dock2ban-a[46]-/.test(name);
}

/** Whether a set of this name is ours to destroy. */
export function isOurSet(name: string): boolean {
  return /^dock2ban-[46](?:-|$)/.test(name) || isAccessSet(name);
}
