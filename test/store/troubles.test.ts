import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, vi } from 'vitest';
import { applicationId, migrations } from '../../src/store/schema.ts';
import type { StoredBan } from '../../src/store/stored-ban.ts';
import { ban, bare, hour, openStore, start, temporaryDir, told } from './temporary.ts';

// Retries wait a second and more.
vi.setConfig({ testTimeout: 60_000 });

const name = 'dock2ban.sqlite3';
const aside = 'dock2ban.sqlite3.aside-20261122T134453Z';

function foreign(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
}

describe.each<[string, string, (path: string) => void]>([
  ['of random bytes', 'store-damaged', (path) => writeFileSync(path, Buffer.alloc(9000, 0xa7))],
  ['of a few bytes', 'store-damaged', (path) => writeFileSync(path, 'hello')],
  [
    'with a header and nothing behind it',
    'store-damaged',
    (path) => {
      openStore(join(path, '..')).store.close();
      truncateSync(path, 512);
    },
  ],
  [
    'cut in half',
    'store-damaged',
    (path) => {
      const { store } = openStore(join(path, '..'));
      for (let i = 0; i < 1000; i++) store.put(ban(`10.0.${i >> 8}.${i & 255}`));
      store.close();
      truncateSync(path, statSync(path).size / 2);
    },
  ],
  [
    'of another program',
    'store-foreign',
    (path) => foreign(path, 'CREATE TABLE bips (ip); INSERT INTO bips VALUES (1)'),
  ],
  [
    'of another program that marks its files',
    'store-foreign',
    (path) => foreign(path, 'PRAGMA application_id = 7; PRAGMA user_version = 99; CREATE TABLE t (a)'),
  ],
])('a database %s', (_, code, make) => {
  it('is set aside unchanged, and a new one works', () => {
    const dir = temporaryDir();
    make(join(dir, name));
    const before = readFileSync(join(dir, name));
    const { store, events } = openStore(dir);
    expect(told(events)).toEqual([`set-aside ${code}`]);
    expect(events[0]).toMatchObject({ movedTo: join(dir, aside), error: { fix: expect.any(String) } });
    expect(readFileSync(join(dir, aside)).equals(before)).toBe(true);
    expect(store.status.trouble).toBeUndefined();
    store.put(ban('203.0.113.9'));
    store.close();
    const again = openStore(dir);
    expect([...again.store.bans(start)]).toEqual([bare(ban('203.0.113.9'))]);
    expect(again.events).toEqual([]);
  });
});

it('restores what a damaged database still tells, and writes everything in force into a new one', async () => {
  const dir = temporaryDir();
  const { store: first } = openStore(dir);
  for (let i = 0; i < 5000; i++) first.put(ban(`10.0.${i >> 8}.${i & 255}`));
  first.close();
  const file = readFileSync(join(dir, name));
  file.fill(0xff, file.length / 2);
  writeFileSync(join(dir, name), file);
  const inForce = new Map<string, StoredBan>();
  const { store, events } = openStore(dir, { active: () => inForce.values() });
  for (const found of store.bans(start)) inForce.set(found.ip, { ...found, lines: [] });
  expect(told(events)).toEqual(['set-aside store-damaged']);
  expect(inForce.size).toBeGreaterThan(1000);
  expect([...store.bans(start)]).toEqual([]);
  await expect.poll(() => [...store.bans(start)].length, { timeout: 20_000 }).toBe(inForce.size);
  expect(readdirSync(dir)).toContain(aside);
});

it('sets a database aside that turns out damaged while it is written, and forgets no ban', async () => {
  const dir = temporaryDir();
  const made = Array.from({ length: 3000 }, (_, i) => ban(`10.0.${i >> 8}.${i & 255}`));
  const { store: first } = openStore(dir);
  for (const each of made) first.put(each);
  first.close();
  // The pages of the index and the rows, but not the schema's.
  const file = readFileSync(join(dir, name));
  file.fill(0xff, 8192);
  writeFileSync(join(dir, name), file);
  const { store, events } = openStore(dir, { active: () => made });
  store.put(ban('203.0.113.9'));
  await expect.poll(() => [...store.bans(start)].length, { timeout: 20_000 }).toBe(made.length + 1);
  await expect.poll(() => store.status.waiting, { timeout: 20_000 }).toBe(0);
  expect(told(events)).toEqual(['set-aside store-damaged']);
});

it('leaves a newer database untouched, and goes on without memory', () => {
  const dir = temporaryDir();
  const path = join(dir, name);
  const newer = migrations.length + 1;
  foreign(
    path,
    `PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${newer}; CREATE TABLE ban (x)`,
  );
  const before = [readFileSync(path), statSync(path).mtimeMs] as const;
  const { store, events } = openStore(dir);
  store.put(ban('203.0.113.9'));
  expect(store.flush()).toBe(false);
  expect([...store.bans(start)]).toEqual([bare(ban('203.0.113.9'))]);
  expect(store.history.count('203.0.113.9', 'sshd', start)).toBe(1);
  store.close();
  expect(told(events)).toEqual(['failed store-newer']);
  expect(events[0]).toMatchObject({ error: { fix: expect.stringContaining('version of dock2ban') } });
  expect([readFileSync(path), statSync(path).mtimeMs]).toEqual(before);
  expect(readdirSync(dir)).toEqual([name]);
});

it('starts without its directory, and has everything there once it can be made', async () => {
  const dir = temporaryDir();
  writeFileSync(join(dir, 'state'), 'a file in the way');
  const { store, events } = openStore(join(dir, 'state'));
  store.put(ban('203.0.113.9'));
  store.positions.set('file', '12');
  expect(store.flush()).toBe(false);
  expect(store.flush()).toBe(false);
  expect(store.positions.get('file')).toBe('12');
  rmSync(join(dir, 'state'));
  await expect.poll(() => store.status.waiting, { timeout: 30_000 }).toBe(0);
  expect(store.status.trouble).toBeUndefined();
  expect(told(events)).toEqual(['failed store-unavailable', 'resumed']);
  expect([...openStore(join(dir, 'state')).store.bans(start)]).toEqual([bare(ban('203.0.113.9'))]);
});

it('tells when what is stored could be read only later', () => {
  const dir = temporaryDir();
  const { store: first } = openStore(dir);
  first.put(ban('203.0.113.9'));
  first.put(ban('203.0.113.8'));
  first.close();
  const lock = new DatabaseSync(join(dir, name));
  lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  const { store, events } = openStore(dir);
  expect([...store.bans(start)]).toEqual([]);
  store.put(ban('203.0.113.8', { until: start + hour }));
  lock.close();
  expect(store.flush()).toBe(true);
  expect(told(events)).toEqual(['failed store-busy', 'resumed']);
  expect(events[1]).toEqual({ kind: 'resumed', unread: true });
  expect([...store.bans(start)].map(({ ip, until }) => [ip, until! - start])).toEqual([
    ['203.0.113.9', 600_000],
    ['203.0.113.8', hour],
  ]);
});

it('makes a new database with all bans in force when its files are removed under it', () => {
  const dir = temporaryDir();
  const made = [ban('203.0.113.1'), ban('203.0.113.2')];
  const { store, events } = openStore(join(dir, 'state'), { active: () => made });
  for (const each of made) store.put(each);
  store.flush();
  rmSync(join(dir, 'state'), { recursive: true });
  store.put(ban('203.0.113.3'));
  expect(store.flush()).toBe(false);
  expect(store.flush()).toBe(true);
  expect(told(events)).toEqual(['failed store-removed', 'resumed']);
  store.close();
  const restored = [...openStore(join(dir, 'state')).store.bans(start)].map(({ ip }) => ip);
  expect(restored.toSorted()).toEqual(['203.0.113.1', '203.0.113.2', '203.0.113.3']);
});

it('keeps its memory bounded while nothing can be stored, and loses no ban in force', () => {
  const dir = temporaryDir();
  const state = join(dir, 'state');
  writeFileSync(state, 'a file in the way');
  const inForce = new Map<string, StoredBan>();
  const { store } = openStore(state, { active: () => inForce.values() });
  let most = 0;
  for (let i = 0; i < 50_000; i++) {
    const made = ban(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, { lines: ['x'.repeat(50)] });
    inForce.set(made.ip, made);
    store.put(made);
    most = Math.max(most, store.status.waiting);
  }
  expect(most).toBeLessThanOrEqual(20_000);
  rmSync(state);
  mkdirSync(state);
  expect(store.flush()).toBe(true);
  expect([...store.bans(start)].length).toBe(50_000);
});
