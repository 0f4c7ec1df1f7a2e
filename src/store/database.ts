import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { plainFile } from './database-files.ts';
import { applicationId, isOurSchema, migrate, migrations, pragma } from './schema.ts';
import { StoreError, storeError } from './store-error.ts';

/** An open database whose schema is the newest. */
export interface OpenedDatabase {
  readonly db: DatabaseSync;
  /** Whether it was made just now. */
  readonly fresh: boolean;
  /** Why it can only be read; undefined: it can be written. */
  readonly readOnly: StoreError | undefined;
}

/** Milliseconds for which another program's lock is waited for, with everything else standing still. */
const lockTimeout = 50;

/**
 * Pages are cached up to 1 MiB. The log is brought in at 16 MiB (4000 pages) and not at SQLite's 4 MiB: a stream of bans then waits for the
 * disk a quarter as often.
 */
const settings = `
  PRAGMA cache_size = -1024;
  PRAGMA mmap_size = 0;
  PRAGMA wal_autocheckpoint = 4000;
  PRAGMA journal_size_limit = 16777216;
  PRAGMA synchronous = NORMAL;
`;

/** Nothing that a file says is run. Integers beyond JavaScript's would throw. */
const careful = { readBigInts: true, defensive: true } as const;
const distrust = 'PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;';

/**
 * Opens the database of the state directory, which is made if it is missing. What can't be written but read is opened for
 * reading.
 *
 * @throws StoreError; `store-newer` before anything is touched, `store-damaged` and `store-foreign` for a file that has to
 * make way
 */
export function openDatabase(path: string): OpenedDatabase {
  try {
    return openWritable(path);
  } catch (thrown) {
    const error = storeError(thrown, path);
    if (error.code !== 'store-read-only' && error.code !== 'store-unavailable') throw error;
    const db = openForReading(path);
    if (!db) throw error;
    const readOnly = new StoreError('store-read-only', `${path} can be read, but not written`, {
      cause: error,
    });
    return { db, fresh: false, readOnly };
  }
}

function openWritable(path: string): OpenedDatabase {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  refuseNewer(path);
  makePrivate(path);
  const db = new DatabaseSync(path, { ...careful, timeout: lockTimeout });
  try {
    db.exec(distrust);
    const fresh = identify(db, path);
    db.exec(settings);
    if (fresh) db.exec(`PRAGMA application_id = ${applicationId}`);
    db.exec('PRAGMA journal_mode = WAL');
    return { db, fresh: migrate(db) === 0, readOnly: undefined };
  } catch (error) {
    db.close();
    throw error;
  }
}

function openForReading(path: string): DatabaseSync | undefined {
  const hasLog = (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
  // Without its log a database is complete in itself, and can be read where nothing can be made beside it.
  const url = pathToFileURL(path);
  url.searchParams.set('immutable', '1');
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(hasLog ? path : url, { ...careful, readOnly: true });
    db.exec(distrust);
    // Every version has the same table of bans.
    if (!identify(db, path) && pragma(db, 'user_version') > 0) return db;
  } catch (thrown) {
    const { code } = storeError(thrown, path);
    if (code === 'store-newer' || code === 'store-foreign' || code === 'store-damaged') {
      db?.close();
      throw thrown;
    }
  }
  db?.close();
  return undefined;
}

/** @returns whether it is empty and for us to fill  @throws StoreError if it isn't ours, or too new */
function identify(db: DatabaseSync, path: string): boolean {
  const id = pragma(db, 'application_id');
  const version = pragma(db, 'user_version');
  const isEmpty = db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  if (isEmpty && version === 0 && (id === 0 || id === applicationId)) return true;
  if (id !== applicationId) {
    throw new StoreError('store-foreign', `${path} is a database of another program`);
  }
  if (version > migrations.length) throw newer(path, version);
  if (!isOurSchema(db, version)) {
    throw new StoreError(
      'store-foreign',
      `${path} holds other tables, views or triggers than dock2ban makes`,
    );
  }
  return false;
}

/** Makes the file if there is none. Matched lines are nobody else's business; SQLite gives its other files the same mode. */
function makePrivate(path: string): void {
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT | plainFile, 0o600);
  try {
    if ((fstatSync(file).mode & 0o077) !== 0) fchmodSync(file, 0o600);
  } finally {
    closeSync(file);
  }
}

/** Looks into the file's header (https://www.sqlite.org/fileformat.html): SQLite itself might write on opening it. */
function refuseNewer(path: string): void {
  if (!existsSync(path)) return;
  const header = Buffer.alloc(100);
  const file = openSync(path, constants.O_RDONLY | plainFile);
  try {
    readSync(file, header, 0, header.length, 0);
  } finally {
    closeSync(file);
  }
  const version = header.readInt32BE(60);
  if (header.readUInt32BE(68) === applicationId && version > migrations.length) throw newer(path, version);
}

function newer(path: string, version: number): StoreError {
  return new StoreError(
    'store-newer',
    `${path} was written by a newer dock2ban (schema ${version}, this one knows ${migrations.length}) and is left untouched`,
  );
}
