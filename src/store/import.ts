import { type OnSkipped, readFail2banDatabase } from './fail2ban-database.ts';
import type { Store } from './store.ts';
import { isActive, type StoredBan } from './stored-ban.ts';

/** What an import came to. */
export interface Imported {
  /** Bans in force that were taken over. */
  readonly active: number;
  /** Bans that are over, of which the count is remembered. */
  readonly remembered: number;
  /** Rows that could not be used. */
  readonly skipped: number;
}

/**
 * Takes over the bans in force and the history of a fail2ban database. Doing it again changes nothing: of two bans of an address in a
 * jail the one that ends later stays, and the higher count.
 *
 * @param now epoch milliseconds
 * @throws Dock2banError `import-unreadable`
 */
export function importFail2ban(path: string, store: Store, now: number, onSkipped: OnSkipped): Imported {
  const imported = { active: 0, remembered: 0, skipped: 0 };
  const skip = (reason: string): void => {
    imported.skipped += 1;
    onSkipped(reason);
  };
  for (const ban of readFail2banDatabase(path, now, skip)) {
    store.put(merged(ban, store.get(ban.jail, ban.ip)));
    imported[isActive(ban, now) ? 'active' : 'remembered'] += 1;
  }
  store.flush();
  return imported;
}

function merged(theirs: StoredBan, ours: StoredBan | undefined): StoredBan {
  if (!ours) return theirs;
  const later = (ours.until ?? Infinity) >= (theirs.until ?? Infinity) ? ours : theirs;
  return { ...later, count: Math.max(ours.count, theirs.count) };
}
