import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { CountedFailures } from '../jail/failure-book.ts';
import { canonicalTarget } from './ban-target.ts';
import type { FailureWrite } from './counted.ts';
import { decodeLines, encodeLines } from './matched-lines.ts';
import type { BanWrite, PositionWrite } from './pending-writes.ts';
import { pragma } from './schema.ts';
import { outdatedFactor, type BanRecord, type StoredBan } from './stored-ban.ts';

type Row = Record<string, SQLOutputValue>;

/** Rows that one slice of a purge looks at, so that matching goes on in between. */
const sliceRows = 1000;

const columns = 'ip, jail, since, until, count, failures, container';

/** The tables of one open database. Every method throws what SQLite throws. */
export class Tables {
  readonly db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.db = db;
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
    this.#prepared(`INSERT OR REPLACE INTO ban (${columns}, lines) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`).run(
      ip,
      jail,
      since,
      until ?? null,
      count,
      failures ?? null,
      container ?? null,
      lines,
    );
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

  /** The failures of a jail, the longest ago first. Rows that are none are passed over. @param after epoch milliseconds */
  *failures(jail: string, after: number): Generator<readonly [ip: string, failures: CountedFailures]> {
    // A database that can only be read may be of a version without.
    if (pragma(this.db, 'user_version') < 2) return;
    const select = this.db.prepare(
      'SELECT ip, first, last, count, lines FROM failure WHERE jail = ? AND last > ? ORDER BY last',
    );
    for (const { ip, first, last, count, lines } of select.iterate(jail, after)) {
      if (typeof ip !== 'string' || canonicalTarget(ip) !== ip || typeof lines !== 'string') continue;
      if (typeof first !== 'number' || typeof last !== 'number' || typeof count !== 'number') continue;
      if (count > 0 && first <= last) yield [ip, { first, last, count, lines: decodeLines(lines) }];
    }
  }

  /** Bans in force, in the order in which they were made. Rows that are no bans are passed over. */
  *active(now: number): Generator<BanRecord> {
    // A statement of its own: two of these may run at a time.
    const select = this.db.prepare(`SELECT ${columns} FROM ban WHERE until IS NULL OR until > ? ORDER BY id`);
    for (const row of select.iterate(now)) {
      const ban = recordOf(row);
      if (ban) yield ban;
    }
  }

  /** What is remembered of an address, in force or not. */
  of(ip: string): readonly BanRecord[] {
    const rows = this.#prepared(`SELECT ${columns} FROM ban WHERE ip = ?`).all(ip);
    return rows.flatMap((row) => recordOf(row) ?? []);
  }

  get(jail: string, ip: string): StoredBan | undefined {
    const row = this.#prepared(`SELECT ${columns}, lines FROM ban WHERE ip = ? AND jail = ?`).get(ip, jail);
    return row && storedOf(row);
  }

  /** Bans in the order in which they were stored, with their lines. @param after the `last` of the page before; 0 at first */
  page(
    after: number,
    most: number,
  ): { readonly bans: readonly StoredBan[]; readonly last: number | undefined } {
    const rows = this.#prepared(`SELECT id, ${columns}, lines FROM ban WHERE id > ? ORDER BY id LIMIT ?`).all(
      after,
      most,
    );
    const last = rows.at(-1)?.['id'];
    return {
      bans: rows.flatMap((row) => storedOf(row) ?? []),
      last: typeof last === 'number' ? last : undefined,
    };
  }

  position(source: string): string | undefined {
    const row = this.#prepared('SELECT position FROM position WHERE source = ?').get(source);
    return typeof row?.['position'] === 'string' ? row['position'] : undefined;
  }

  /** Addresses and bans so far, by jail. */
  totals(): readonly { jail: string; addresses: number; bans: number }[] {
    return this.db
      .prepare('SELECT jail, count(*) AS addresses, sum(count) AS bans FROM ban GROUP BY jail ORDER BY jail')
      .all()
      .map(({ jail, addresses, bans }) => ({
        jail: String(jail),
        addresses: Number(addresses),
        bans: Number(bans),
      }));
  }

  /**
   * Forgets what is too old, slice by slice: each step of the generator is one, and yields how many rows went.
   * @param age milliseconds, see `isRemembered`
   * @param mostRows beyond these, bans that are over go, the longest made first
   * @param positionAge milliseconds after which a position that nobody wrote again goes
   */
  *purge(now: number, age: number, mostRows: number, positionAge: number): Generator<number> {
    yield Number(this.#prepared('DELETE FROM position WHERE updated < ?').run(now - positionAge).changes);
    yield Number(this.#prepared('DELETE FROM failure WHERE until <= ?').run(now).changes);
    const end = this.#prepared(
      'SELECT max(id) AS id FROM (SELECT id FROM ban WHERE id > ? ORDER BY id LIMIT ?)',
    );
    const remove = this.#prepared(
      'DELETE FROM ban WHERE id > ?1 AND id <= ?2 AND until <= ?3 AND since < ?4 AND since + ?5 * (until - since) < ?4',
    );
    for (let from = 0; ;) {
      const to = end.get(from, sliceRows)?.['id'];
      if (typeof to !== 'number') break;
      yield Number(remove.run(from, to, now, now - age, outdatedFactor).changes);
      from = to;
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

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

function storedOf(row: Row): StoredBan | undefined {
  const ban = recordOf(row);
  return ban && { ...ban, lines: typeof row['lines'] === 'string' ? decodeLines(row['lines']) : [] };
}

/** The file may have been in other hands: only what a ban can be is taken for one. */
function recordOf(row: Row): BanRecord | undefined {
  const { ip, jail, since, until, count, failures, container } = row;
  if (typeof ip !== 'string' || typeof jail !== 'string' || canonicalTarget(ip) !== ip) return undefined;
  if (typeof since !== 'number' || typeof count !== 'number') return undefined;
  return {
    jail,
    ip,
    since,
    until: typeof until === 'number' ? until : undefined,
    count: Math.max(1, count),
    failures: typeof failures === 'number' ? failures : undefined,
    container: typeof container === 'string' ? container : undefined,
  };
}
