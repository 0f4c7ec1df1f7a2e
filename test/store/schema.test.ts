import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { migrate, migrations, pragma } from '../../src/store/schema.ts';
import { ban, openStore, start, temporaryDir } from './temporary.ts';

function version1(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  db.exec(readFileSync(new URL('fixtures/v1.sql', import.meta.url), 'utf8'));
  return db;
}

it('reads a database of version 1', () => {
  const dir = temporaryDir();
  version1(join(dir, 'dock2ban.sqlite3')).close();
  const { store, events } = openStore(dir);
  expect([...store.bans(start)].map(({ ip }) => ip)).toEqual(['203.0.113.9', '2001:db8::/64']);
  expect(store.get('sshd', '203.0.113.9')).toEqual(
    ban('203.0.113.9', { count: 2, lines: ['Failed password'] }),
  );
  expect(store.positions.get('file:/var/log/auth.log')).toBe('{"offset":12}');
  expect(events).toEqual([]);
});

const added = "ALTER TABLE ban ADD COLUMN note TEXT NOT NULL DEFAULT 'none'";

it('brings an older database up to date once, with what it holds', () => {
  const db = version1(':memory:');
  expect(migrate(db, [...migrations, added])).toBe(1);
  expect(pragma(db, 'user_version')).toBe(migrations.length + 1);
  expect(db.prepare('SELECT count(*) AS n, min(note) AS note FROM ban').get()).toEqual({
    n: 3,
    note: 'none',
  });
  expect(migrate(db, [...migrations, added])).toBe(migrations.length + 1);
});

it('leaves an older database as it is when a step fails', () => {
  const db = version1(':memory:');
  expect(() => migrate(db, [...migrations, `${added}; SELECT nonsense`])).toThrow('nonsense');
  expect(pragma(db, 'user_version')).toBe(1);
  expect(db.prepare('SELECT * FROM ban').get()).not.toHaveProperty('note');
  expect(db.isTransaction).toBe(false);
});

it('makes a new database by the same steps', () => {
  const db = new DatabaseSync(':memory:');
  expect(migrate(db)).toBe(0);
  expect(pragma(db, 'user_version')).toBe(migrations.length);
});
