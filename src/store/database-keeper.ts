import { lstatSync } from 'node:fs';
import { openDatabase } from './database.ts';
import { intruders, setAside } from './database-files.ts';
import { StoreError, storeError } from './store-error.ts';
import { Tables } from './tables.ts';
import { WriteAheadLog } from './write-ahead-log.ts';

/** What the operator should know of the store. Each trouble is told once, until it is over. */
export type StoreEvent =
  /** Nothing can be stored for now. */
  | { readonly kind: 'failed'; readonly error: StoreError }
  /** A file that can't be used made way for a new database. */
  | { readonly kind: 'set-aside'; readonly error: StoreError; readonly movedTo: string }
  /** One row can't be stored; the rest is. */
  | { readonly kind: 'row-refused'; readonly row: string; readonly error: StoreError }
  /** Rows that no ban and no count can be made of; all others count. */
  | { readonly kind: 'rows-skipped'; readonly path: string; readonly count: number; readonly example: string }
  /** The trouble is over. `unread`: the database could be read only now, and its bans are still to be restored. */
  | { readonly kind: 'resumed'; readonly unread: boolean };

export interface KeeperOptions {
  readonly path: string;
  readonly clock: () => number;
  readonly report: (event: StoreEvent) => void;
}

/** Who writes, and is told of what happens to the database. */
export interface KeeperHooks {
  /** Something failed: another try makes sense after so many milliseconds; undefined: never. */
  readonly retry: (ms: number | undefined) => void;
  /** A new database has taken the place of one that was in use: everything has to be written again. */
  readonly onReplaced: () => void;
}

/** Files that are set aside in the life of a process: a disk that damages each new one must not fill up with them. */
const mostAsides = 3;
/** Milliseconds between two syncs of the log. */
const syncPause = 1000;
/** Milliseconds to the first retry, and the longest time between two. */
const firstRetry = 1000;
const longestRetry = 60_000;

/** Keeps the database open: tells what stands in the way, moves unusable files out of it, and opens it again. */
export class DatabaseKeeper {
  readonly #options: KeeperOptions;
  #hooks: KeeperHooks | undefined;
  #tables: Tables | undefined;
  #log: WriteAheadLog | undefined;
  /** `dev:ino` of the open file. */
  #file = '';
  #isWritable = false;
  #wasOpen = false;
  #trouble: StoreError | undefined;
  #failures = 0;
  #asides = 0;
  #unread = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  get path(): string {
    return this.#options.path;
  }

  /** To be called first. */
  open(hooks: KeeperHooks): void {
    this.#hooks = hooks;
    try {
      this.#connect();
    } catch (error) {
      this.#unread = this.#tables === undefined;
      this.fail(error);
    }
  }

  /** Why nothing can be stored for now. */
  get trouble(): StoreError | undefined {
    return this.#trouble;
  }

  get #retryDelay(): number | undefined {
    if (this.#trouble?.code === 'store-newer') return undefined;
    return Math.min(longestRetry, firstRetry * 2 ** Math.min(Math.max(0, this.#failures - 1), 10));
  }

  /** @returns what `look` finds; undefined if the database can't be read */
  read<T>(look: (tables: Tables) => T): T | undefined {
    if (!this.#tables) return undefined;
    try {
      return look(this.#tables);
    } catch (error) {
      this.fail(error);
      return undefined;
    }
  }

  /** Runs `work` in a transaction, after opening the database where that is needed. @returns whether it is stored */
  write(work: (tables: Tables) => void): boolean {
    if (this.#trouble?.code === 'store-newer') return false;
    try {
      const tables = this.#connected();
      tables.transaction(() => work(tables));
    } catch (error) {
      this.fail(error);
      return false;
    }
    this.#log?.committed();
    if (this.#trouble) {
      const unread = this.#unread;
      this.#trouble = undefined;
      this.#failures = 0;
      this.#unread = false;
      this.#options.report({ kind: 'resumed', unread });
    }
    return true;
  }

  /** Takes note of an error, as one that came from a caller's own loop over the tables. */
  fail(thrown: unknown): void {
    this.#noteFailure(thrown);
    this.#hooks?.retry(this.#retryDelay);
  }

  close(): void {
    this.#disconnect();
  }

  #connected(): Tables {
    const stats = this.#isWritable ? lstatSync(this.#options.path, { throwIfNoEntry: false }) : undefined;
    if (this.#isWritable && (!stats || this.#file !== `${stats.dev}:${stats.ino}`)) {
      this.#disconnect();
      throw new StoreError('store-removed', `${this.#options.path} was moved or removed while it was in use`);
    }
    return this.#isWritable && this.#tables ? this.#tables : this.#connect();
  }

  /** Leaves the database open for reading if that is all that can be done. @throws StoreError */
  #connect(): Tables {
    const { path } = this.#options;
    // First: connections of one process share what SQLite found at the first, such as that nothing can be written.
    this.#disconnect();
    const { db, fresh, readOnly } = this.#open();
    const tables = new Tables(db);
    this.#tables = tables;
    if (readOnly) throw readOnly;
    const { dev, ino } = lstatSync(path);
    this.#file = `${dev}:${ino}`;
    this.#log = new WriteAheadLog(path, syncPause);
    this.#isWritable = true;
    const replaced = fresh && this.#wasOpen;
    this.#wasOpen = true;
    if (replaced) this.#hooks?.onReplaced();
    return tables;
  }

  #open(): ReturnType<typeof openDatabase> {
    const { path } = this.#options;
    for (const { path: place, what } of intruders(path)) {
      this.#moveAside(new StoreError('store-foreign', `${place} is ${what}`), place);
    }
    try {
      return openDatabase(path);
    } catch (thrown) {
      const error = storeError(thrown, path);
      if (!isUnusable(error)) throw error;
      this.#moveAside(error, path);
      return openDatabase(path);
    }
  }

  #noteFailure(thrown: unknown): void {
    const error = storeError(thrown, this.#options.path);
    if (isUnusable(error) && this.#tables) {
      this.#disconnect();
      this.#wasOpen = true;
      try {
        this.#moveAside(error, this.#options.path);
      } catch (second) {
        this.#tell(storeError(second, this.#options.path));
      }
      return;
    }
    // A full disk and a busy database need no new connection.
    if (error.code !== 'store-full' && error.code !== 'store-busy') this.#isWritable = false;
    this.#tell(error);
  }

  #tell(error: StoreError): void {
    this.#failures += 1;
    const isNew = this.#trouble?.code !== error.code;
    this.#trouble = error;
    if (isNew) this.#options.report({ kind: 'failed', error });
  }

  #moveAside(error: StoreError, path: string): void {
    const { clock, report } = this.#options;
    if (this.#asides >= mostAsides) throw error;
    const movedTo = setAside(path, clock());
    this.#asides += 1;
    report({ kind: 'set-aside', error, movedTo });
  }

  #disconnect(): void {
    const tables = this.#tables;
    this.#tables = undefined;
    this.#isWritable = false;
    this.#log?.close();
    this.#log = undefined;
    try {
      tables?.close();
    } catch {
      // Closing brings the log in; where that fails, it is done at the next opening.
    }
  }
}

function isUnusable({ code }: StoreError): boolean {
  return code === 'store-damaged' || code === 'store-foreign';
}
