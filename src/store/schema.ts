import { DatabaseSync } from 'node:sqlite';

/** Marks a file as a database of ours (`PRAGMA application_id`): "d2bn". */
export const applicationId = 0x6432_626e;

/**
 * What leads from each version of the schema to the next; entry 0 makes version 1. Entries are never changed once released: databases
 * that they made are out there.
 *
 * `ban` has one row for each address and jail, the latest ban. It stays after the ban has ended, as the history that
 * `bantime.increment` counts. Writing a row anew gives it the highest id: ids are in the order of the bans.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE ban (
    id INTEGER PRIMARY KEY,
    ip TEXT NOT NULL,
    jail TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER,
    count INTEGER NOT NULL,
    failures INTEGER,
    container TEXT,
    lines TEXT NOT NULL,
    UNIQUE (ip, jail)
  ) STRICT;
  CREATE TABLE position (
    source TEXT PRIMARY KEY,
    position TEXT NOT NULL,
    updated INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  // Failures below maxretry, up to the positions stored beside them. `until`: when they stop counting.
  `
  CREATE TABLE failure (
    jail TEXT NOT NULL,
    ip TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    until INTEGER NOT NULL,
    count INTEGER NOT NULL,
    lines TEXT NOT NULL,
    PRIMARY KEY (jail, ip)
  ) STRICT, WITHOUT ROWID;
  `,
];

/**
 * Brings the schema to the newest version, whole or not at all. The caller has begun no transaction.
 * @returns the version that it had
 * @throws what SQLite throws
 */
export function migrate(db: DatabaseSync, steps: readonly string[] = migrations): number {
  db.exec('BEGIN IMMEDIATE');
  try {
    const from = pragma(db, 'user_version');
    for (const step of steps.slice(from)) db.exec(step);
    if (from < steps.length) db.exec(`PRAGMA user_version = ${steps.length}`);
    db.exec('COMMIT');
    return from;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** Whether a database has all that a version of the schema has, and nothing else but what `ANALYZE` makes: a trigger or a view could run anything, and for ever. */
export function isOurSchema(db: DatabaseSync, version: number): boolean {
  if (version < 1) return false;
  const own = new DatabaseSync(':memory:');
  for (const step of migrations.slice(0, version)) own.exec(step);
  const expected = schemaOf(own);
  own.close();
  return schemaOf(db) === expected;
}

function schemaOf(db: DatabaseSync): string {
  const select = `SELECT type, name, tbl_name, substr(sql, 1, 10000) AS sql FROM sqlite_schema
    WHERE name NOT IN ('sqlite_stat1', 'sqlite_stat4') ORDER BY type, name`;
  return JSON.stringify(db.prepare(select).all()).replaceAll(/(?:\s|\\n)+/g, ' ');
}

/** The value of a pragma that is a number. */
export function pragma(db: DatabaseSync, name: 'application_id' | 'user_version'): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0);
}
