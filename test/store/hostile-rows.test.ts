import fc from 'fast-check';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it, vi } from 'vitest';
import { lastEnd } from '../../src/jail/ban-end.ts';
import type { StoredBan } from '../../src/store/stored-ban.ts';
import { ban, bare, hour, openStore, start, temporaryDir } from './temporary.ts';

const far = 9_223_372_036_854_775_807n;

/** Writes into the tables what dock2ban would not. */
function write(dir: string, sql: string, ...rows: readonly (readonly (string | number | bigint | null)[])[]) {
  const db = new DatabaseSync(join(dir, 'dock2ban.sqlite3'));
  const insert = db.prepare(sql);
  for (const row of rows) insert.run(...row);
  db.close();
}

const insertBan =
  'INSERT INTO ban (ip, jail, since, until, count, failures, container, lines) VALUES (?, ?, ?, ?, ?, ?, ?, ?)';
const insertFailure =
  'INSERT INTO failure (jail, ip, first, last, until, count, lines) VALUES (?, ?, ?, ?, ?, ?, ?)';

function prepared(...bans: readonly StoredBan[]): string {
  const dir = temporaryDir();
  const { store } = openStore(dir);
  for (const each of bans) store.put(each);
  store.close();
  return dir;
}

it('restores every row that is a ban, and tells of the others once', async () => {
  const dir = prepared(ban('203.0.113.1'));
  write(
    dir,
    insertBan,
    ['10.0.0.1', 'sshd', start, far, 1, 1, null, '[]'],
    ['10.0.0.2', 'sshd', start, 2n ** 53n + 1n, far, far, null, 'no JSON'],
    ['10.0.0.3', 'sshd', far, null, 1, 1, null, '[]'],
    ['10.0.0.4', 'sshd', -1, null, 1, 1, null, '[]'],
    ['10.0.0.999', 'sshd', start, null, 1, 1, null, '[]'],
    ['0.0.0.0/0', 'sshd', start, null, 1, 1, null, '[]'],
    ['10.0.0.5/8', 'sshd', start, null, 1, 1, null, '[]'],
    ['10.0.0.6', 'ss\nhd', start, null, 1, 1, null, '[]'],
    ['10.0.0.7', '', start, null, 1, 1, null, '[]'],
    ['x'.repeat(2_000_000), 'sshd', start, null, 1, 1, null, '[]'],
    ['10.0.0.8', 'sshd', start, start + hour, -far, 0, 'x'.repeat(2_000_000), '"'.repeat(2_000_000)],
    ['203.0.113.2', 'sshd', start, start + hour, 2, 5, 'web', '["line"]'],
  );
  const { store, events } = openStore(dir);
  const found = [...store.bans(start)];
  expect(found.map(({ ip, until, count }) => [ip, until, count])).toEqual([
    ['203.0.113.1', start + hour / 6, 1],
    ['10.0.0.1', undefined, 1],
    ['10.0.0.2', undefined, 1_000_000],
    ['10.0.0.8', start + hour, 1],
    ['203.0.113.2', start + hour, 2],
  ]);
  expect([...store.pages()].flat().map(({ ip }) => ip)).toEqual(found.map(({ ip }) => ip));
  expect(store.get('sshd', '10.0.0.1')).toMatchObject({ until: undefined, lines: [] });
  expect(store.get('sshd', '10.0.0.3')).toBeUndefined();
  expect(store.of('10.0.0.8')).toMatchObject([{ container: undefined, failures: 1 }]);
  expect(store.statistics()?.offenders[0]).toMatchObject({ ip: '10.0.0.2', bans: 1_000_000 });
  expect(store.statistics()!.jails.length).toBeGreaterThan(0);
  await expect.poll(() => events.length, { timeout: 5000 }).toBe(1);
  expect(events).toMatchObject([{ kind: 'rows-skipped', count: 8 }]);
  expect(events[0]).toMatchObject({ example: 'ban [sshd] 10.0.0.3: the time of the ban is no time' });
  await store.purge(start + hour);
  expect([...store.bans(start)].length).toBe(found.length);
  expect(events).toHaveLength(1);
});

it('counts on with every row of failures that can be read', async () => {
  const dir = prepared();
  write(
    dir,
    insertFailure,
    ['sshd', '10.0.0.1', start, far, far, 1, '[]'],
    ['sshd', '10.0.0.2', start, start, far, far, '[]'],
    ['sshd', '10.0.0.3', start, start, far, 0, '[]'],
    ['sshd', 'nobody', start, start, far, 1, '[]'],
    ['sshd', '10.0.0.4', start, start, far, 3, '["line"]'],
  );
  const { store, events } = openStore(dir);
  expect([...store.failures('sshd', start, 600)].map(([ip, { count }]) => [ip, count])).toEqual([
    ['10.0.0.2', 1_000_000],
    ['10.0.0.4', 3],
  ]);
  await expect.poll(() => events, { timeout: 5000 }).toMatchObject([{ kind: 'rows-skipped', count: 3 }]);
});

it('a position or note that is too long is none', () => {
  const dir = prepared();
  write(dir, 'INSERT INTO position VALUES (?, ?, ?)', ['file', 'x'.repeat(17 * 1024 * 1024), start]);
  expect(openStore(dir).store.positions.get('file')).toBeUndefined();
});

const integer = fc.oneof(
  fc.bigInt({ min: -far, max: far }),
  fc.constantFrom(0n, 1n, -1n, far, -far, 2n ** 53n, BigInt(lastEnd), BigInt(start)),
);

it('whatever stands in the rows: what comes of them is a ban, and those of ours are there', () => {
  vi.useFakeTimers();
  const row = fc.tuple(
    fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()),
    fc.oneof(fc.constant('sshd'), fc.string({ unit: 'binary' })),
    integer,
    fc.oneof(integer, fc.constant(null)),
    integer,
    fc.oneof(integer, fc.constant(null)),
    fc.oneof(fc.string(), fc.constant(null)),
    fc.oneof(fc.string(), fc.json()),
  );
  fc.assert(
    fc.property(
      fc.uniqueArray(row, { minLength: 1, maxLength: 20, selector: ([ip, jail]) => `${ip} ${jail}` }),
      (rows) => {
        const dir = prepared(ban('203.0.113.1', { jail: 'ours' }));
        write(dir, insertBan, ...rows);
        const { store } = openStore(dir);
        const found = [...store.bans(start)];
        expect(found).toContainEqual(bare(ban('203.0.113.1', { jail: 'ours' })));
        for (const { since, until = start } of [...found, ...[...store.pages()].flat()]) {
          expect(new Date(since).toISOString().length).toBe(24);
          expect(new Date(until).toISOString().length).toBeGreaterThan(23);
        }
        expect(store.statistics()).toBeDefined();
        expect(store.status.trouble).toBeUndefined();
        store.close();
      },
    ),
    { numRuns: 100 },
  );
  vi.useRealTimers();
});
