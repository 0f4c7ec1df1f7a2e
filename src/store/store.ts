import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { Ban } from '../jail/ban.ts';
import { banEnd } from '../jail/ban-end.ts';
import type { CountedFailures } from '../jail/failure-counter.ts';
import { countedBefore } from './counted.ts';
import { banStatistics, type BanStatistics } from './ban-statistics.ts';
import { DatabaseKeeper } from './database-keeper.ts';
import { encodeLines, decodeLines } from './matched-lines.ts';
import type { StoreOptions, StoreStatus } from './store-options.ts';
import {
  type BanDetails,
  type BanRecord,
  isActive,
  mostCount,
  seenFrom,
  type StoredBan,
} from './stored-ban.ts';
import { StoreWriter } from './store-writer.ts';
import { StoredHistory } from './stored-history.ts';
import { noteKey, type Tables } from './tables.ts';

export type { StoreOptions, StoreStatus };

/** Milliseconds within which rows that are skipped are told of in one event. */
const tellWithin = 1000;
/** Rows that are read at a time. */
const pageRows = 200;
/** Remembered bans that are over go beyond this number of rows. */
const mostRows = 250_000;
/** Milliseconds (30 days) after which the position in a log that nobody reads any more is forgotten. */
const positionAge = 30 * 86_400_000;

/**
 * The memory in the state directory: bans, how often who was banned, what was counted, and up to where logs were read. Writing returns at
 * once and is done within a tenth of a second, many changes in one transaction. Nothing here throws: while the database can't be
 * used, that is reported once, changes wait in memory, and it is tried again.
 */
export class Store {
  readonly path: string;
  readonly #options: StoreOptions;
  readonly #keeper: DatabaseKeeper;
  readonly #writer: StoreWriter;
  #closed = false;
  #skipTimer: NodeJS.Timeout | undefined;

  constructor(options: StoreOptions) {
    this.#options = options;
    this.history = new StoredHistory(this, options.purgeAge * 1000);
    this.path = join(options.stateDir, 'dock2ban.sqlite3');
    this.#keeper = new DatabaseKeeper({
      path: this.path,
      clock: options.clock,
      report: options.report,
    });
    this.#writer = new StoreWriter(this.#keeper, options, (ban) => this.keep(ban));
    this.#keeper.open({
      retry: (ms) => this.#writer.schedule(ms),
      onReplaced: () => this.#writer.noteReplaced(),
    });
  }

  get status(): StoreStatus {
    return { path: this.path, trouble: this.#keeper.trouble, waiting: this.#writer.pending.size };
  }

  /** The bans in force, oldest first. To be read in one go. @param now epoch milliseconds */
  *bans(now: number): Generator<BanRecord> {
    const tables = this.#keeper.read((found) => found);
    try {
      for (const stored of tables?.active(now) ?? []) {
        const ban = seenFrom(stored, now);
        if (!this.#writer.pending.get(ban.jail, ban.ip) && isActive(ban, now)) yield ban;
      }
    } catch (error) {
      this.#keeper.fail(error);
    }
    this.#noteSkipped(tables);
    for (const { record } of this.#writer.pending.bans())
      if (record && isActive(record, now)) yield bare(record);
  }

  /** The latest ban of an address in a jail, in force or not, with its lines. */
  get(jail: string, ip: string): StoredBan | undefined {
    const waiting = this.#writer.pending.get(jail, ip);
    if (!waiting) return this.#read((tables) => tables.get(jail, ip));
    const { record } = waiting;
    return record && { ...bare(record), lines: decodeLines(record.lines) };
  }

  /** What is remembered of an address, by jail. */
  of(ip: string): readonly BanRecord[] {
    const waiting = this.#writer.pending.of(ip);
    const stored = this.#read((tables) => tables.of(ip)) ?? [];
    return [
      ...stored.filter(({ jail }) => !waiting.some((write) => write.jail === jail)),
      ...waiting.flatMap(({ record }) => (record ? bare(record) : [])),
    ];
  }

  /** Stores a ban in place of an earlier one of the address in the jail. */
  put(ban: StoredBan): void {
    const { jail, ip, since, until, count, failures, container, lines } = ban;
    this.#writer.put({
      jail,
      ip,
      record: {
        jail,
        ip,
        since: Math.round(since),
        until: banEnd(until),
        count: bounded(count),
        failures: failures === undefined ? undefined : bounded(failures),
        container,
        lines: encodeLines(lines),
      },
    });
  }

  /** Stores a ban, with what is known of it. */
  keep({ jail, ip, since, until }: Ban, { count, failures, container, lines = [] }: BanDetails = {}): void {
    const bans = count ?? Math.max(1, this.history.count(ip, jail, this.#options.clock()));
    this.put({ jail, ip, since, until, count: bans, failures, container, lines });
  }

  /** Remembers another end of a ban that is stored. @param until epoch milliseconds */
  end(jail: string, ip: string, until: number): void {
    const known = this.get(jail, ip);
    if (known) this.put({ ...known, until });
  }

  /**
   * Forgets an address in a jail, and that it ever was banned there: as fail2ban does on unban by hand. A ban that ends by itself
   * needs nothing.
   */
  remove(jail: string, ip: string): void {
    this.#writer.put({ jail, ip, record: undefined });
  }

  /** How often an address was banned: what `bantime.increment` grows by. For `Jail`. */
  readonly history: StoredHistory;

  /** Up to where logs were read. What a position is, only the source knows. */
  readonly positions = {
    /** @param source names the log, for ever */
    get: (source: string): string | undefined => this.#text(source),
    /** Stored after all bans that were put before. */
    set: (source: string, position: string): void => this.#writer.putPosition(source, position),
  };

  /** Says that something was counted, which is stored soon after. */
  noteCounted(): void {
    this.#writer.noteCounted();
  }

  /**
   * What earlier runs have counted in a jail, the longest ago first. To be read in one go.
   * @param now epoch milliseconds  @param findtime seconds for which a failure counts
   */
  *failures(
    jail: string,
    now: number,
    findtime: number,
  ): Generator<readonly [ip: string, failures: CountedFailures]> {
    const tables = this.#keeper.read((found) => found);
    try {
      for (const [ip, failures] of tables?.failures(jail, now - findtime * 1000) ?? []) {
        yield [ip, countedBefore(failures, now)];
      }
    } catch (error) {
      this.#keeper.fail(error);
    }
    this.#noteSkipped(tables);
  }

  /** What the last run has left to the next, by name. */
  readonly notes = {
    get: (name: string): string | undefined => this.#text(noteKey(name)),
    set: (name: string, text: string): void => this.#writer.putPosition(noteKey(name), text),
  };

  /** What is remembered, summed up; undefined if it can't be read. */
  statistics(): BanStatistics | undefined {
    return this.#keeper.read(({ db }) => banStatistics(db));
  }

  /** All that is remembered, in pieces between which time may pass. A ban that is stored anew meanwhile may come twice. */
  *pages(): Generator<readonly StoredBan[]> {
    this.flush();
    for (let after: number | undefined = 0; ;) {
      const from: number = after;
      const page = this.#read((tables) => tables.page(from, pageRows));
      if (page?.last === undefined) break;
      after = page.last;
      yield page.bans.filter(({ jail, ip }) => !this.#writer.pending.get(jail, ip));
    }
    const waiting = [...this.#writer.pending.bans()];
    yield waiting.flatMap(({ record }) =>
      record ? { ...bare(record), lines: decodeLines(record.lines) } : [],
    );
    // What could not be stored is known to the jails alone.
    const unknown = { count: 1, failures: undefined, container: undefined, lines: [] };
    if (this.#keeper.trouble) yield Array.from(this.#options.active(), (ban) => ({ ...unknown, ...ban }));
  }

  /** Forgets what is older than `purgeAge`, in small steps. @returns how many rows went */
  async purge(now: number): Promise<number> {
    const progress = { removed: 0, done: false };
    let steps: Generator<number> | undefined;
    const oneStep = (tables: Tables): void => {
      steps ??= tables.purge(now, this.#options.purgeAge * 1000, mostRows, positionAge);
      const { done = false, value } = steps.next();
      progress.done = done;
      if (!done) progress.removed += Number(value);
    };
    while (!progress.done) {
      if (this.#closed || this.#keeper.trouble || !this.#keeper.write(oneStep)) break;
      await turn();
    }
    return progress.removed;
  }

  /** Writes now what waits. @returns whether everything is stored */
  flush(): boolean {
    return this.#writer.flush();
  }

  /** Writes what waits, and closes the database. Nothing is stored afterwards. */
  close(): void {
    if (this.#closed) return;
    this.#writer.close();
    this.#closed = true;
    clearTimeout(this.#skipTimer);
    this.#keeper.close();
  }

  #read<T>(look: (tables: Tables) => T): T | undefined {
    return this.#keeper.read((tables) => {
      const found = look(tables);
      this.#noteSkipped(tables);
      return found;
    });
  }

  /** Rows may be read at many places at once: they are told of together. */
  #noteSkipped(tables: Tables | undefined): void {
    if (!tables?.hasSkipped || this.#skipTimer) return;
    this.#skipTimer = setTimeout(() => {
      this.#skipTimer = undefined;
      const skipped = tables.takeSkipped();
      if (skipped) this.#options.report({ kind: 'rows-skipped', path: this.path, ...skipped });
    }, tellWithin).unref();
  }

  #text(key: string): string | undefined {
    return this.#writer.pending.position(key) ?? this.#keeper.read((tables) => tables.position(key));
  }
}

function bounded(count: number): number {
  return Math.min(Math.max(1, Math.round(count)), mostCount);
}

function bare({ jail, ip, since, until, count, failures, container }: BanRecord): BanRecord {
  return { jail, ip, since, until, count, failures, container };
}
