import type { Ban } from '../jail/ban.ts';
import type { DatabaseKeeper } from './database-keeper.ts';
import { type Batch, type BanWrite, PendingWrites } from './pending-writes.ts';
import { isRowFault, storeError } from './store-error.ts';
import type { StoreOptions } from './store-options.ts';

/** Milliseconds for which what is to be written is collected. */
const commitWithin = 100;
/** Rows of one transaction: some milliseconds. */
const batchRows = 250;
/** What may wait while nothing can be stored. */
const mostWaiting = 20_000;

/** Writes to the database, many changes in one transaction; while it can't be written, changes wait in memory and it is tried again. */
export class StoreWriter {
  readonly pending = new PendingWrites();
  readonly #keeper: DatabaseKeeper;
  readonly #options: StoreOptions;
  readonly #keep: (ban: Ban) => void;
  /** Whether bans in force are missing from what is stored and what waits. */
  #isIncomplete = false;
  #timer: NodeJS.Timeout | undefined;
  #due = Infinity;
  #closed = false;
  #hasCounted = false;

  /** @param keep puts a ban in force again that was dropped */
  constructor(keeper: DatabaseKeeper, options: StoreOptions, keep: (ban: Ban) => void) {
    this.#keeper = keeper;
    this.#options = options;
    this.#keep = keep;
  }

  put(write: BanWrite): void {
    this.pending.put(write);
    this.#changed();
  }

  putPosition(source: string, position: string): void {
    this.pending.putPosition({ source, position, updated: this.#options.clock() });
    this.#changed();
  }

  /** Says that something was counted, which is stored soon after. */
  noteCounted(): void {
    this.#hasCounted = true;
    if (!this.#keeper.trouble) this.schedule(commitWithin);
  }

  /** A new database has taken the place of the one before. */
  noteReplaced(): void {
    this.#isIncomplete = true;
    this.#options.counting?.unsettle();
  }

  /** Writes now what waits. @returns whether everything is stored */
  flush(): boolean {
    while (this.pending.size > 0 || this.#hasCounted) if (!this.#commit()) return false;
    return true;
  }

  /** Writes what waits. Nothing is stored afterwards. */
  close(): void {
    this.flush();
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** @param ms undefined: never */
  schedule(ms: number | undefined): void {
    if (ms === undefined || this.#closed) return;
    const due = performance.now() + ms;
    if (this.#timer && this.#due <= due) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => this.#work(), ms).unref();
  }

  #changed(): void {
    if (this.pending.size >= mostWaiting) {
      if (this.#keeper.trouble) this.#overflow();
      else this.#flushBans();
    }
    if (this.#keeper.trouble) return;
    this.schedule(this.pending.size >= batchRows ? 0 : commitWithin);
  }

  /** Amid the lines of a log: what they come to may be stored only with the position behind them. */
  #flushBans(): void {
    while (this.pending.banCount > 0) {
      const { bans } = this.pending.batch(batchRows);
      if (!this.#store({ bans, positions: [], isAll: false })) return;
    }
  }

  /** What is dropped is in force, and `active` will tell it. */
  #overflow(): void {
    this.#isIncomplete = true;
    this.pending.dropBans();
    if (this.pending.size >= mostWaiting / 2) this.pending.clear();
  }

  #work(): void {
    this.#timer = undefined;
    if (this.#commit() && this.pending.size > 0) this.schedule(0);
  }

  #commit(): boolean {
    return this.#store(this.pending.batch(batchRows));
  }

  #store(batch: Batch): boolean {
    if (this.#closed) return false;
    const { counting } = this.#options;
    const stored = this.#keeper.write((tables) => {
      for (const ban of batch.bans) this.#row(`[${ban.jail}] ${ban.ip}`, () => tables.writeBan(ban));
      if (!batch.isAll) return;
      for (const write of counting?.changes() ?? []) {
        this.#row(`[${write.jail}] ${write.ip}`, () => tables.writeFailures(write));
      }
      for (const position of batch.positions) {
        this.#row(position.source, () => tables.writePosition(position));
      }
    });
    if (!stored) return false;
    this.pending.settle(batch);
    if (batch.isAll) {
      counting?.settle();
      this.#hasCounted = false;
    }
    if (this.#isIncomplete) this.#writeAllAgain();
    return true;
  }

  /** A row that can't be stored must not keep the others from it. */
  #row(row: string, write: () => void): void {
    try {
      write();
    } catch (error) {
      if (!isRowFault(error)) throw error;
      this.#options.report({ kind: 'row-refused', row, error: storeError(error, this.#keeper.path) });
    }
  }

  #writeAllAgain(): void {
    this.#isIncomplete = false;
    for (const ban of this.#options.active()) {
      if (!this.pending.get(ban.jail, ban.ip)) this.#keep(ban);
    }
  }
}
