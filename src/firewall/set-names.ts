import { createHash } from 'node:crypto';
import type { Family } from '../address.ts';

/** The kernel's limit for a set's name (IPSET_MAXNAMELEN less the final zero). */
const longestName = 31;

/** The set of every banned address of a family, whatever its jail. */
export function allSet(family: Family): string {
  return `dock2ban${family}`;
}

/**
 * The set of a jail's banned addresses of a family. A name that is too long, or has characters that don't belong into a command's
 * line, is cut short and made unique by a hash.
 */
export function jailSet(jail: string, family: Family): string {
  const prefix = `dock2ban${family}-`;
  const room = longestName - prefix.length;
  // Shorter by one than a hashed name always is, so that no jail can be named like another's hashed set.
  if (jail.length < room && /^[\w.-]+$/.test(jail)) return prefix + jail;
  const hash = createHash('sha256').update(jail).digest('hex').slice(0, 10);
  const start = jail.replaceAll(/[^\w.-]/g, '_').slice(0, room - hash.length - 1);
  return prefix + start.padEnd(room - hash.length - 1, '_') + '-' + hash;
}

/** Whether a set of this name is ours to destroy. */
export function isOurSet(name: string): boolean {
  return /^dock2ban[46](?:-|$)/.test(name);
}
