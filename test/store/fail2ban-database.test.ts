import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readFail2banDatabase } from '../../src/store/fail2ban-database.ts';
import { importFail2ban } from './import-fail2ban.ts';
import { matchLimits } from '../../src/jail/matched-lines.ts';
import { canonicalPrefix } from '../../src/net/address.ts';
import { ban, openStore, start, temporaryDir } from './temporary.ts';

const seconds = start / 1000;

/** A table of the columns that fail2ban's has. */
function database(path: string, rows: readonly (readonly unknown[])[], table = 'CREATE TABLE'): string {
  const db = new DatabaseSync(path);
  if (table === 'CREATE TABLE') {
    db.exec(
      'CREATE TABLE bips (ip TEXT, jail TEXT, timeofban INTEGER, bantime INTEGER, bancount INTEGER, data JSON)',
    );
    const insert = db.prepare('INSERT INTO bips VALUES (?, ?, ?, ?, ?, ?)');
    for (const row of rows) insert.run(...(row as (string | number | bigint | null | Uint8Array)[]));
  } else db.exec(table);
  db.close();
  return path;
}

function read(path: string, now = start) {
  const skipped: string[] = [];
  const bans = [...readFail2banDatabase(path, now, (reason) => skipped.push(reason))];
  return { bans, skipped };
}

const data = (ticket: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(ticket));

it('reads bans as fail2ban writes them', () => {
  const path = database(join(temporaryDir(), 'f2b'), [
    ['203.0.113.1', 'sshd', seconds - 60, 600, 3, data({ matches: ['a', ['b', 'c', 'd']], failures: 7 })],
    ['2001:db8:0::1', 'nginx', seconds - 50, -1, 1, null],
    ['203.0.113.77/24', 'sshd', seconds - 40, 600.4, 1, data({})],
    ['203.0.113.3', 'sshd', seconds - 30, 10, 2, data({ matches: null })],
    ['203.0.113.4', 'sshd', seconds + 3600, -2, 1, null],
  ]);
  const nothing = { failures: undefined, container: undefined, lines: [] };
  expect(read(path)).toEqual({
    skipped: [],
    bans: [
      {
        jail: 'sshd',
        ip: '203.0.113.1',
        since: start - 60_000,
        until: start + 540_000,
        count: 3,
        failures: 7,
        container: undefined,
        lines: ['a', 'bcd'],
      },
      { jail: 'nginx', ip: '2001:db8::1', since: start - 50_000, until: undefined, count: 1, ...nothing },
      {
        jail: 'sshd',
        ip: '203.0.113.0/24',
        since: start - 40_000,
        until: start + 560_400,
        count: 1,
        ...nothing,
      },
      { jail: 'sshd', ip: '203.0.113.3', since: start - 30_000, until: start - 20_000, count: 2, ...nothing },
      { jail: 'sshd', ip: '203.0.113.4', since: start, until: start + 600_000, count: 1, ...nothing },
    ],
  });
});

it('skips rows that are no bans of an address, and says why', () => {
  const path = database(join(temporaryDir(), 'f2b'), [
    ['root', 'sshd', seconds, 600, 1, null],
    [null, 'sshd', seconds, 600, 1, null],
    [new Uint8Array([1, 2]), 'sshd', seconds, 600, 1, null],
    ['203.0.113.1; reboot', 'sshd', seconds, 600, 1, null],
    ['203.0.113.1', 'ss\nhd', seconds, 600, 1, null],
    ['203.0.113.1', '', seconds, 600, 1, null],
    ['203.0.113.1', 'sshd', -5, 600, 1, null],
    ['203.0.113.1', 'sshd', 9_223_372_036_854_775_807n, 600, 1, null],
    ['203.0.113.1', 'sshd', seconds, Number.POSITIVE_INFINITY, 1, null],
    ['203.0.113.1', 'sshd', seconds, null, 1, null],
    ['203.0.113.2', 'sshd', seconds, 9_223_372_036_854_775_807n, -4, 'no JSON'],
  ]);
  const { bans, skipped } = read(path);
  expect(bans).toMatchObject([{ ip: '203.0.113.2', until: undefined, count: 1, lines: [] }]);
  expect(skipped).toHaveLength(10);
  expect(skipped.join('\n')).not.toMatch(/\[ss\n/);
});

it('bounds what a row can make it hold', () => {
  const huge = 'x'.repeat(2 * 1024 * 1024);
  const path = database(join(temporaryDir(), 'f2b'), [
    ['203.0.113.1', 'sshd', seconds, 600, 1, data({ matches: [huge] })],
    [
      '203.0.113.2',
      'sshd',
      seconds,
      600,
      1,
      data({ matches: Array.from({ length: 900 }, () => 'y'.repeat(900)) }),
    ],
    [huge, huge, seconds, 600, 1, huge],
  ]);
  const { bans, skipped } = read(path);
  expect(bans.map(({ lines }) => lines.join('').length)).toEqual([0, matchLimits.totalLength]);
  expect(skipped).toHaveLength(1);
  expect(skipped[0]!.length).toBeLessThan(200);
});

it.each([
  [
    'a view',
    'CREATE VIEW bips AS SELECT 1 AS ip, 2 AS jail, 3 AS timeofban, 4 AS bantime, 5 AS bancount, 6 AS data',
  ],
  ['a virtual table', 'CREATE VIRTUAL TABLE bips USING fts5(ip, jail, timeofban, bantime, bancount, data)'],
  [
    'a table with computed columns',
    'CREATE TABLE bips (ip, jail, timeofban, bantime, bancount, data AS (ip || jail))',
  ],
  ['no table', 'CREATE TABLE bans (jail, ip)'],
  ['a table of other columns', 'CREATE TABLE bips (ip, jail)'],
])('refuses %s', (_, table) => {
  const path = database(join(temporaryDir(), 'f2b'), [], table);
  expect(() => read(path)).toThrow(expect.objectContaining({ code: 'import-unreadable' }));
});

it('refuses what is no database, with the way out', () => {
  const dir = temporaryDir();
  writeFileSync(join(dir, 'text'), 'no database at all, but long enough to have a header'.repeat(9));
  for (const name of ['text', 'missing', '.']) {
    expect(() => read(join(dir, name))).toThrow(
      expect.objectContaining({ code: 'import-unreadable', fix: expect.stringContaining('dbfile') }),
    );
  }
});

it('yields only bans that can be, whatever stands in the rows', () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.ipV4(),
    fc.ipV6(),
    fc.double(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.uint8Array(),
    fc.constant(null),
    fc.json().map((text) => new TextEncoder().encode(text)),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(value, value, value, value, value, value), { maxLength: 20 }), (rows) => {
      const { bans, skipped } = read(database(join(temporaryDir(), 'f2b'), rows));
      expect(bans.length + skipped.length).toBe(rows.length);
      for (const each of bans) {
        expect(canonicalPrefix(each.ip)).toBe(each.ip);
        expect(each.since).toBeLessThanOrEqual(start);
        expect(Number.isSafeInteger(each.since) && Number.isSafeInteger(each.until ?? 0)).toBe(true);
        expect(each.count).toBeGreaterThanOrEqual(1);
      }
    }),
    { numRuns: 60 },
  );
}, 60_000);

it('takes over bans and history, twice with the same result, and keeps what lasts longer', () => {
  const dir = temporaryDir();
  const path = database(join(dir, 'f2b'), [
    ['203.0.113.1', 'sshd', seconds - 60, 600, 3, data({ matches: ['a'], failures: 7 })],
    ['203.0.113.2', 'sshd', seconds - 60, 10, 2, null],
    ['203.0.113.3', 'sshd', seconds - 60, 100, 9, null],
    ['root', 'sshd', seconds - 60, 100, 9, null],
  ]);
  const { store } = openStore(dir);
  store.put(ban('203.0.113.3'));
  const reasons: string[] = [];
  for (let time = 0; time < 2; time++) {
    const imported = importFail2ban(path, store, start, (reason) => reasons.push(reason));
    expect(imported).toEqual({ active: 2, remembered: 1, skipped: 1 });
  }
  expect(store.status.waiting).toBe(0);
  const inForce = [...store.bans(start)].map(({ ip, until, count }) => [ip, until! - start, count]);
  expect(inForce).toHaveLength(2);
  expect(inForce).toContainEqual(['203.0.113.1', 540_000, 3]);
  expect(inForce).toContainEqual(['203.0.113.3', 600_000, 9]);
  expect(store.history.count('203.0.113.2', 'sshd', start)).toBe(2);
  expect(reasons).toEqual(['"root" is no address', '"root" is no address']);
});
