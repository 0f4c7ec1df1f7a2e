import { Dock2banError, messageOf } from '../errors.ts';

/** Why the store can't do its work; each kind has one remedy. */
export type StoreErrorCode =
  | 'store-full'
  | 'store-read-only'
  | 'store-unavailable'
  | 'store-busy'
  | 'store-damaged'
  | 'store-foreign'
  | 'store-newer'
  | 'store-removed'
  | 'store-failed';

/** The database can't be opened, read or written. */
export class StoreError extends Dock2banError {
  declare readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(code, message, { fix: fixes[code], ...options });
    this.name = 'StoreError';
  }
}

const fixes: Record<StoreErrorCode, string> = {
  'store-full': 'free some space on the disk of the state directory; it is tried again',
  'store-read-only':
    'mount the state directory writable (compose: a volume at /var/lib/dock2ban); it is tried again',
  'store-unavailable':
    'see that the state directory (--state-dir) exists or can be made, and is a directory that dock2ban may write; it is tried again',
  'store-busy':
    'end the other program that has the database open (another dock2ban, sqlite3); it is tried again',
  'store-damaged': 'the damaged file is kept under its new name; look at the disk if this happens again',
  'store-foreign': 'it is kept under its new name; let --state-dir name a directory of its own',
  'store-newer': 'run the version of dock2ban that wrote it, or let --state-dir name another directory',
  'store-removed': 'leave the files of the state directory alone while dock2ban runs; a new database is made',
  'store-failed': 'see the message; it is tried again',
};

/** SQLite's primary result codes, https://www.sqlite.org/rescode.html */
const meanings: Readonly<Record<number, StoreErrorCode>> = {
  3: 'store-unavailable', // PERM
  5: 'store-busy', // BUSY
  6: 'store-busy', // LOCKED
  8: 'store-read-only', // READONLY
  11: 'store-damaged', // CORRUPT
  13: 'store-full', // FULL
  14: 'store-unavailable', // CANTOPEN
  26: 'store-damaged', // NOTADB
};

/** Codes that speak of one row's values, not of the database: TOOBIG, CONSTRAINT, MISMATCH, RANGE. */
const ofOneRow: ReadonlySet<number> = new Set([18, 19, 20, 25]);

const systemCodes: Readonly<Record<string, StoreErrorCode>> = {
  EROFS: 'store-read-only',
  ENOSPC: 'store-full',
  EDQUOT: 'store-full',
  EACCES: 'store-unavailable',
  EPERM: 'store-unavailable',
  ENOENT: 'store-unavailable',
  ENOTDIR: 'store-unavailable',
  EEXIST: 'store-unavailable',
  EISDIR: 'store-unavailable',
};

/** Names the kind of an error of SQLite or of the file system. */
export function storeError(thrown: unknown, path: string): StoreError {
  if (thrown instanceof StoreError) return thrown;
  const { errcode, code } = detailsOf(thrown);
  const kind = errcode === undefined ? systemCodes[code ?? ''] : meanings[errcode & 0xff];
  return new StoreError(kind ?? 'store-failed', `${path}: ${messageOf(thrown)}`, { cause: thrown });
}

/** Whether only the row that was being written is at fault, so that writing the next one makes sense. */
export function isRowFault(thrown: unknown): boolean {
  const { errcode, code } = detailsOf(thrown);
  if (errcode !== undefined) return ofOneRow.has(errcode & 0xff);
  return code === 'ERR_INVALID_ARG_TYPE' || code === 'ERR_INVALID_ARG_VALUE' || code === 'ERR_OUT_OF_RANGE';
}

function detailsOf(thrown: unknown): { errcode: number | undefined; code: string | undefined } {
  if (typeof thrown !== 'object' || thrown === null) return { errcode: undefined, code: undefined };
  const errcode = 'errcode' in thrown && typeof thrown.errcode === 'number' ? thrown.errcode : undefined;
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
  return { errcode, code };
}
