import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openStore } from '../../store/temporary.ts';
import { LiveDaemon } from '../jails/live-daemon.ts';

let daemon: LiveDaemon;
let path: string;

beforeEach(() => {
  daemon = new LiveDaemon();
  daemon.config('jail.local', daemon.section('app', 'maxretry = 1'));
  mkdirSync(join(daemon.folder, 'state'));
  path = join(daemon.folder, 'state/dock2ban.sqlite3');
});

afterEach(async () => {
  await daemon.end();
});

/** Makes the database of an earlier run. */
function database(...statements: readonly string[]): void {
  openStore(join(daemon.folder, 'state')).store.close();
  const db = new DatabaseSync(path);
  for (const sql of statements) db.exec(sql);
  db.close();
}

async function bansOn(): Promise<void> {
  daemon.fail('app', '203.0.113.9');
  await daemon.sees('ban', { jail: 'app', ip: '203.0.113.9' });
  expect(daemon.control.status().jails).toEqual(['app']);
  await expect.poll(() => daemon.control.views.stats().store).toEqual({ trouble: null, waiting: 0 });
}

const endless = 'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n';

it.each([
  ['a pipe', () => void execFileSync('mkfifo', [path])],
  ['a link to a file', () => symlinkSync(join(daemon.folder, 'victim'), path)],
  ['a link to a pipe', () => symlinkSync(join(daemon.folder, 'pipe'), path)],
  [
    'a trigger without end',
    () => database(`CREATE TRIGGER t AFTER INSERT ON ban BEGIN SELECT (${endless}); END`),
  ],
  ['a view without end', () => database(`DROP TABLE ban; CREATE VIEW ban AS ${endless}`)],
])(
  '%s in place of the database: it is set aside with one event, bans go on and are remembered',
  async (_, make) => {
    writeFileSync(join(daemon.folder, 'victim'), 'precious');
    execFileSync('mkfifo', [join(daemon.folder, 'pipe')]);
    make();
    await daemon.start();
    await bansOn();
    expect(daemon.of('store-set-aside')).toHaveLength(1);
    expect(daemon.of('store-failed')).toEqual([]);
    expect(readFileSync(join(daemon.folder, 'victim'), 'utf8')).toBe('precious');
  },
);

it('rows that nobody can read cost no other ban, and one event names them', async () => {
  const now = Date.now();
  const insert = (ip: string, since: number | string, until: number | string) =>
    `INSERT INTO ban (ip, jail, since, until, count, lines) VALUES ('${ip}', 'app', ${since}, ${until}, 1, '[]')`;
  database(
    insert('198.51.100.1', now, 'NULL'),
    insert('198.51.100.2', '9223372036854775807', 'NULL'),
    insert('nobody', now, 'NULL'),
    insert('0.0.0.0/0', now, 'NULL'),
    insert('198.51.100.3', now, '9223372036854775807'),
    insert('198.51.100.4', now, '8640000000000001'),
    insert('198.51.100.5', now, now + 600_000),
  );
  await daemon.start();
  await bansOn();
  expect(daemon.control.jail('app')!.banned).toMatchObject([
    { ip: '198.51.100.1', until: null },
    { ip: '198.51.100.3', until: null },
    { ip: '198.51.100.4', until: null },
    { ip: '198.51.100.5', until: new Date(now + 600_000).toISOString() },
    { ip: '203.0.113.9' },
  ]);
  await daemon.sees('store-rows-skipped', { count: 3 });
  const exported: { bans: { ip: string }[] } = JSON.parse([...daemon.control.views.export()].join(''));
  expect(exported.bans.map(({ ip }) => ip)).toContain('198.51.100.5');
  expect(daemon.control.views.why('198.51.100.3').jails).toMatchObject([{ bans: [{ until: null }] }]);
  expect(daemon.of('store-rows-skipped')).toHaveLength(1);
  expect(daemon.of('store-set-aside')).toEqual([]);
});
