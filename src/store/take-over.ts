import type { Store } from './store.ts';
import type { StoredBan } from './stored-ban.ts';

/**
 * Takes over a ban from another database. Doing it again changes nothing: of two bans of an address in a jail the one that ends later
 * stays, and the higher count.
 * @returns what is stored now
 */
export function takeOver(theirs: StoredBan, store: Pick<Store, 'get' | 'put'>): StoredBan {
  const ban = merged(theirs, store.get(theirs.jail, theirs.ip));
  store.put(ban);
  return ban;
}

function merged(theirs: StoredBan, ours: StoredBan | undefined): StoredBan {
  if (!ours) return theirs;
  const later = (ours.until ?? Infinity) >= (theirs.until ?? Infinity) ? ours : theirs;
  return { ...later, count: Math.max(ours.count, theirs.count) };
}
