import { constants, lstatSync, renameSync, type Stats } from 'node:fs';
import { storeError } from './store-error.ts';

const companions = ['-wal', '-shm', '-journal'] as const;

/** The files that SQLite keeps beside a database. */
export function companionsOf(path: string): string[] {
  return companions.map((suffix) => path + suffix);
}

/** Opens a file itself: no link is followed, and no pipe waited for. */
export const plainFile = constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Something stands where a file of the database belongs. */
export interface Intruder {
  readonly path: string;
  /** `a pipe`, `a symbolic link`, … */
  readonly what: string;
}

/**
 * What stands in the place of the database's files and is none that SQLite may open: it would wait for ever for a pipe, and write through
 * a link. The directory itself may be a link, that is the operator's business.
 */
export function intruders(path: string): Intruder[] {
  return [path, ...companionsOf(path)].flatMap((place) => {
    const stats = lstatSync(place, { throwIfNoEntry: false });
    const what = stats && strangeness(stats);
    return what === undefined ? [] : [{ path: place, what }];
  });
}

/**
 * Gives a file that is no database of ours, and what belongs to it, another name.
 * @param now epoch milliseconds, for that name
 * @returns the new name
 * @throws StoreError
 */
export function setAside(path: string, now: number): string {
  const stamp = new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  let name = `${path}.aside-${stamp}`;
  for (let n = 2; isThere(name); n++) name = `${path}.aside-${stamp}-${n}`;
  try {
    // The log first: left alone beside a new database, it could be taken for that one's.
    for (const suffix of [...companions, '']) {
      if (isThere(path + suffix)) renameSync(path + suffix, name + suffix);
    }
  } catch (error) {
    throw storeError(error, path);
  }
  return name;
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Undefined: a regular file of ours. */
function strangeness(stats: Stats): string | undefined {
  if (stats.isSymbolicLink()) return 'a symbolic link';
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a pipe';
  if (!stats.isFile()) return 'a device or socket';
  const isOurs = stats.uid === process.geteuid?.() || stats.uid === 0;
  return isOurs ? undefined : `a file of another user (uid ${stats.uid})`;
}
