import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { ban, bare, openStore, start, temporaryDir, told } from './temporary.ts';

const name = 'dock2ban.sqlite3';
const aside = 'dock2ban.sqlite3.aside-20261122T134453Z';

/** A state directory with a ban, and its database. */
function stateDir(): { dir: string; path: string } {
  const dir = temporaryDir();
  const { store } = openStore(dir);
  store.put(ban('203.0.113.9'));
  store.close();
  return { dir, path: join(dir, name) };
}

function change(path: string, sql: string): void {
  const db = new DatabaseSync(path, { defensive: false });
  db.exec(sql);
  db.close();
}

/** Something that isn't the database is set aside, and a new one remembers. */
function expectFresh(dir: string, before = 1): void {
  const { store, events } = openStore(dir);
  expect(told(events)).toEqual(Array<string>(before).fill('set-aside store-foreign'));
  expect([...store.bans(start)]).toEqual([]);
  store.put(ban('203.0.113.1'));
  expect(store.flush()).toBe(true);
  store.close();
  const again = openStore(dir);
  expect([...again.store.bans(start)]).toEqual([bare(ban('203.0.113.1'))]);
  expect(again.events).toEqual([]);
}

const endless = 'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n';

describe.each([
  ['an endless trigger', `CREATE TRIGGER t AFTER INSERT ON ban BEGIN SELECT (${endless}); END`],
  ['an endless view in place of the table', `DROP TABLE ban; CREATE VIEW ban AS ${endless}`],
  ['a generated column', 'ALTER TABLE ban ADD COLUMN more TEXT AS (hex(ip)) VIRTUAL'],
  ['a table more', 'CREATE TABLE more (x)'],
  ['a table less', 'DROP TABLE position'],
  ['an index with an expression', 'CREATE INDEX more ON ban (abs(count))'],
  ['another type of a column', 'DROP TABLE position; CREATE TABLE position (source, position, updated)'],
  ['no version', 'PRAGMA user_version = 0'],
  ['a version below all', 'PRAGMA user_version = -1'],
])('a database with %s', (_, sql) => {
  it('is set aside unread', () => {
    const { dir, path } = stateDir();
    change(path, sql);
    const before = readFileSync(path);
    expectFresh(dir);
    expect(readFileSync(join(dir, aside)).equals(before)).toBe(true);
  });
});

it('keeps what it holds after ANALYZE', () => {
  const { dir, path } = stateDir();
  change(path, 'ANALYZE');
  const { store, events } = openStore(dir);
  expect([...store.bans(start)]).toHaveLength(1);
  expect(events).toEqual([]);
});

describe.each([
  ['a pipe', (path: string) => void execFileSync('mkfifo', [path])],
  ['a directory', (path: string) => mkdirSync(path)],
  ['a symbolic link to a file', (path: string) => symlinkSync(join(path, '../../victim'), path)],
  ['a symbolic link to a pipe', (path: string) => symlinkSync(join(path, '../../pipe'), path)],
  ['a symbolic link to nothing', (path: string) => symlinkSync(join(path, '../../nothing'), path)],
  ['a device', (path: string) => void execFileSync('mknod', [path, 'c', '1', '5'])],
])('%s', (_, make) => {
  function place(suffix: string): { dir: string; above: string } {
    const above = temporaryDir();
    const dir = join(above, 'state');
    mkdirSync(dir);
    writeFileSync(join(above, 'victim'), 'precious');
    execFileSync('mkfifo', [join(above, 'pipe')]);
    make(join(dir, name + suffix));
    return { dir, above };
  }

  it.each(['', '-wal', '-shm', '-journal'])('as dock2ban.sqlite3%s is moved away, not opened', (suffix) => {
    const { dir, above } = place(suffix);
    expectFresh(dir);
    expect(lstatSync(join(dir, name)).isFile()).toBe(true);
    expect(readFileSync(join(above, 'victim'), 'utf8')).toBe('precious');
    expect(existsSync(join(above, 'nothing'))).toBe(false);
  });
});

it('a companion that is a pipe costs no ban', () => {
  const { dir, path } = stateDir();
  execFileSync('mkfifo', [`${path}-wal`]);
  const { store, events } = openStore(dir);
  expect(told(events)).toEqual(['set-aside store-foreign']);
  expect([...store.bans(start)]).toEqual([bare(ban('203.0.113.9'))]);
});

it('a link that takes the place of the open database is not written through', () => {
  const { dir, path } = stateDir();
  const { store, events } = openStore(dir, { active: () => [ban('203.0.113.9')] });
  const victim = join(dir, 'victim');
  writeFileSync(victim, 'precious');
  execFileSync('ln', ['-sf', victim, path]);
  store.put(ban('203.0.113.1'));
  expect(store.flush()).toBe(false);
  expect(store.flush()).toBe(true);
  expect(told(events)).toEqual(['failed store-removed', 'set-aside store-foreign', 'resumed']);
  expect(readFileSync(victim, 'utf8')).toBe('precious');
  expect([...store.bans(start)]).toHaveLength(2);
});

it('the directory itself may be a link', () => {
  const { dir } = stateDir();
  const link = join(temporaryDir(), 'state');
  symlinkSync(dir, link);
  const { store, events } = openStore(link);
  expect([...store.bans(start)]).toHaveLength(1);
  expect(events).toEqual([]);
});

it('a database that others may read is made private', () => {
  const { dir, path } = stateDir();
  chmodSync(path, 0o666);
  expect([...openStore(dir).store.bans(start)]).toHaveLength(1);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

it.runIf(process.geteuid?.() === 0)('a database of another user is set aside', () => {
  const { dir, path } = stateDir();
  execFileSync('chown', ['12345', path]);
  expectFresh(dir);
  expect(readdirSync(dir)).toContain(aside);
});
