import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { CountedFailures } from '../jail/failure-counter.ts';
import type { FailureWrite } from './counted.ts';
import { encodeLines } from './matched-lines.ts';
import type { BanWrite, PositionWrite } from './pending-writes.ts';
import { pragma } from './schema.ts';
import { outdatedFactor, type BanRecord, type StoredBan } from './stored-ban.ts';
import { banColumns, banOf, failuresOf, nameOf, type Row, storedBanOf, text } from './stored-row.ts';

/** Rows that one slice of a purge looks at, so that matching goes on in between. */
const sliceRows = 1000;
/** Bytes of a position or note: notes name each container. */
const mostNote = 16 * 1024 * 1024;
/** The key of a note in the table of positions. Logs have names that begin otherwise: with a path, or what kind of source it is. */
export function noteKey(name: string): string {
  return `note:${name}`;
}

/** Rows that are remembered as skipped, so that each is counted once. */
const mostSkipped = 100_000;

/** Rows that no ban and no count can be made of. */
export interface SkippedRows {
  readonly count: number;
  /** One of them, and what is wrong with it. */
  readonly example: string;
}

/**
 * The tables of one open database, whose integers are read as BigInt. Every row is looked at by itself. Every method throws what SQLite throws.
 */
export class Tables {
  readonly db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #skipped = new Set<string>();
  #untold: SkippedRows | undefined;

  constructor(db: DatabaseSync) {
    this.db = db;
  }

  get hasSkipped(): boolean {
    return this.#untold !== undefined;
  }

  /** The rows that were found unusable since the last time; undefined: none. */
  takeSkipped(): SkippedRows | undefined {
    const skipped = this.#untold;
    this.#untold = undefined;
    return skipped;
  }

  /** Runs `work` in one transaction: all of it is stored, or nothing. */
  transaction(work: () => void): void {
    this.db.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.db.exec('COMMIT');
    } catch (error) {
      // Some errors, a full disk among them, have ended the transaction already.
      if (this.db.isTransaction) this.db.exec('ROLLBACK');
      throw error;
    }
  }

  writeBan({ ip, jail, record }: BanWrite): void {
    if (record === undefined) {
      this.#prepared('DELETE FROM ban WHERE ip = ? AND jail = ?').run(ip, jail);
      return;
    }
    const { since, until, count, failures, container, lines } = record;
    this.#prepared(
      `INSERT OR REPLACE INTO ban (ip, jail, since, until, count, failures, container, lines) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(ip, jail, since, until ?? null, count, failures ?? null, container ?? null, lines);
  }

  writePosition({ source, position, updated }: PositionWrite): void {
    this.#prepared('INSERT OR REPLACE INTO position (source, position, updated) VALUES (?, ?, ?)').run(
      source,
      position,
      updated,
    );
  }

  writeFailures({ jail, ip, failures, until }: FailureWrite): void {
    if (failures === undefined) {
      this.#prepared('DELETE FROM failure WHERE jail = ? AND ip = ?').run(jail, ip);
      return;
    }
    const { first, last, count, lines } = failures;
    this.#prepared(
      'INSERT OR REPLACE INTO failure (jail, ip, first, last, until, count, lines) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ).run(
      jail,
      ip,
      Math.round(first),
      Math.round(last),
      Math.round(until),
      Math.round(count),
      encodeLines(lines),
    );
  }

  /** The failures of a jail, the longest ago first. @param after epoch milliseconds */
  *failures(jail: string, after: number): Generator<readonly [ip: string, failures: CountedFailures]> {
    // A database that can only be read may be of a version without.
    if (pragma(this.db, 'user_version') < 2) return;
    const select = this.db.prepare(
      `SELECT ${text('ip')}, jail, first, last, count, ${text('lines')} FROM failure WHERE jail = ? AND last > ? ORDER BY last`,
    );
    for (const row of select.iterate(jail, after)) {
      const counted = this.#usable('failures', row, failuresOf(row));
      if (counted) yield [counted.ip, counted];
    }
  }

  /** Bans in force, in the order in which they were made. */
  *active(now: number): Generator<BanRecord> {
    // A statement of its own: two of these may run at a time.
    const select = this.db.prepare(
      `SELECT ${banColumns} FROM ban WHERE until IS NULL OR until > ? ORDER BY id`,
    );
    for (const row of select.iterate(now)) {
      const ban = this.#usable('ban', row, banOf(row));
      if (ban) yield ban;
    }
  }

  /** What is remembered of an address, in force or not. */
  of(ip: string): readonly BanRecord[] {
    const rows = this.#prepared(`SELECT ${banColumns} FROM ban WHERE ip = ?`).all(ip);
    return rows.flatMap((row) => this.#usable('ban', row, banOf(row)) ?? []);
  }

  get(jail: string, ip: string): StoredBan | undefined {
    const row = this.#prepared(
      `SELECT ${banColumns}, ${text('lines')} FROM ban WHERE ip = ? AND jail = ?`,
    ).get(ip, jail);
    return row && this.#usable('ban', row, storedBanOf(row));
  }

  /** Bans in the order in which they were stored, with their lines. @param after the `last` of the page before; 0 at first */
  page(
    after: number,
    most: number,
  ): { readonly bans: readonly StoredBan[]; readonly last: number | undefined } {
    const rows = this.#prepared(
      `SELECT id, ${banColumns}, ${text('lines')} FROM ban WHERE id > ? ORDER BY id LIMIT ?`,
    ).all(after, most);
    const last = rows.at(-1)?.['id'];
    return {
      bans: rows.flatMap((row) => this.#usable('ban', row, storedBanOf(row)) ?? []),
      last: last === undefined ? undefined : Number(last),
    };
  }

  position(source: string): string | undefined {
    const row = this.#prepared(`SELECT ${text('position', mostNote)} FROM position WHERE source = ?`).get(
      source,
    );
    return typeof row?.['position'] === 'string' ? row['position'] : undefined;
  }

  /**
   * Forgets what is too old, slice by slice: each step of the generator is one, and yields how many rows went.
   * @param age milliseconds, see `isRemembered`
   * @param mostRows beyond these, bans that are over go, the longest made first
   * @param positionAge milliseconds after which a position that nobody wrote again goes; notes stay
   */
  *purge(now: number, age: number, mostRows: number, positionAge: number): Generator<number> {
    yield Number(
      this.#prepared(`DELETE FROM position WHERE updated < ? AND source NOT GLOB '${noteKey('*')}'`).run(
        now - positionAge,
      ).changes,
    );
    yield Number(this.#prepared('DELETE FROM failure WHERE until <= ?').run(now).changes);
    const end = this.#prepared(
      'SELECT max(id) AS id FROM (SELECT id FROM ban WHERE id > ? ORDER BY id LIMIT ?)',
    );
    const remove = this.#prepared(
      'DELETE FROM ban WHERE id > ?1 AND id <= ?2 AND until <= ?3 AND since < ?4 AND since + ?5 * (until - since) < ?4',
    );
    for (let from = 0; ;) {
      const to = end.get(from, sliceRows)?.['id'];
      if (typeof to !== 'bigint') break;
      yield Number(remove.run(from, to, now, now - age, outdatedFactor).changes);
      from = Number(to);
    }
    const rows = Number(this.#prepared('SELECT count(*) AS rows FROM ban').get()?.['rows'] ?? 0);
    const removeOldest = this.#prepared(
      'DELETE FROM ban WHERE id IN (SELECT id FROM ban WHERE until <= ? ORDER BY id LIMIT ?)',
    );
    for (let over = rows - mostRows; over > 0; over -= sliceRows) {
      yield Number(removeOldest.run(now, Math.min(over, sliceRows)).changes);
    }
  }

  close(): void {
    this.#statements.clear();
    this.db.close();
  }

  /** What a row came to; a row that can be nothing is counted. */
  #usable<Found extends object>(kind: string, row: Row, found: Found | string): Found | undefined {
    if (typeof found !== 'string') return found;
    const name = `${kind} ${nameOf(row)}`;
    if (this.#skipped.size < mostSkipped && !this.#skipped.has(name)) {
      this.#skipped.add(name);
      const { count = 0, example = `${name}: ${found}` } = this.#untold ?? {};
      this.#untold = { count: count + 1, example };
    }
    return undefined;
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}
