import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { importBans } from '../../src/cli/commands/import.ts';
import { ControlClient } from '../../src/control/client.ts';
import { type ControlServer, serveControl } from '../../src/control/server.ts';
import { readFail2banDatabase } from '../../src/store/fail2ban-database.ts';
import { LiveDaemon } from '../daemon/jails/live-daemon.ts';

let daemon: LiveDaemon;
let server: ControlServer;
let dir: string;
let socket: string;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dock2ban-import-'));
  socket = join(dir, 'control.sock');
  daemon = new LiveDaemon();
  daemon.config('jail.local', daemon.section('app'));
  await daemon.start();
  server = await serveControl(socket, daemon.control);
});

afterEach(async () => {
  await server.close();
  await daemon.end();
  rmSync(dir, { recursive: true });
});

/** Runs `dock2ban import --json FILE`. */
async function imported(name: string): Promise<unknown> {
  let printed = '';
  await importBans(join(dir, name), true, {
    client: new ControlClient(socket),
    readDatabase: readFail2banDatabase,
    now: Date.now,
    output: { print: (text) => (printed += text), warn: () => undefined },
  });
  return JSON.parse(printed);
}

const since = new Date().toISOString();
const ban = {
  jail: 'app',
  ip: '203.0.113.1',
  since,
  until: null,
  count: 1,
  failures: null,
  container: null,
  lines: [],
};

function exported(...bans: readonly unknown[]): void {
  writeFileSync(
    join(dir, 'file'),
    JSON.stringify({ export: 1, bans }).replace('"DEEP"', '['.repeat(9999) + ']'.repeat(9999)),
  );
}

it('takes over what can be, of entries of any kind, and says why the others are not', async () => {
  exported(
    ban,
    { ...ban, ip: '203.0.113.2', until: '+300000-01-01T00:00:00.000Z' },
    { ...ban, ip: '203.0.113.3', until: '9999-12-31T23:59:59.999-23:59' },
    { ...ban, ip: '203.0.113.4', since: '+300000-01-01T00:00:00.000Z' },
    { ...ban, ip: '0.0.0.0/0' },
    { ...ban, ip: 'DEEP' },
    { ...ban, jail: 'a\nb' },
    { ...ban, ip: 'nobody' },
    { ...ban, lines: ['x'.repeat(600_000)] },
    null,
    7,
    { ...ban, count: 2 ** 60 },
    { ...ban, ip: '203.0.113.5' },
  );
  expect(await imported('file')).toMatchObject({ active: 4, enforced: 4, skipped: 9 });
  expect(daemon.control.jail('app')!.banned).toMatchObject([
    { ip: '203.0.113.1', until: null },
    { ip: '203.0.113.2', until: null },
    { ip: '203.0.113.3', until: null },
    { ip: '203.0.113.5', until: null },
  ]);
});

it('takes an export of its own, with bans that end never or late', async () => {
  await daemon.control.ban('app', ['203.0.113.1']);
  writeFileSync(join(dir, 'file'), [...daemon.control.views.export()].join(''));
  await daemon.control.unban('app', []);
  expect(await imported('file')).toMatchObject({ active: 1, skipped: 0 });
});

it.each([
  ['a pipe', (at: string) => void execFileSync('mkfifo', [at])],
  ['a device', (at: string) => symlinkSync('/dev/zero', at)],
  ['a terminal', (at: string) => symlinkSync('/dev/ptmx', at)],
  ['a directory', (at: string) => symlinkSync('/', at)],
  ['a link to nothing', (at: string) => symlinkSync(`${at}-gone`, at)],
  ['a link to itself', (at: string) => symlinkSync(at, at)],
  [
    'a file larger than any export',
    (at: string) => {
      writeFileSync(at, '');
      truncateSync(at, 300 * 1024 * 1024);
    },
  ],
  ['JSON without end', (at: string) => writeFileSync(at, '['.repeat(1_000_000))],
])('refuses %s at once', async (_, make) => {
  make(join(dir, 'file'));
  await expect(imported('file')).rejects.toMatchObject({
    code: 'import-unreadable',
    fix: expect.any(String),
  });
});

const bips = `CREATE TABLE bips (ip TEXT, jail TEXT, timeofban INTEGER, bantime INTEGER, bancount INTEGER, data JSON);
  INSERT INTO bips VALUES ('203.0.113.1', 'app', unixepoch(), 9e18, 1, '{}'), ('203.0.113.2', 'app', unixepoch(), 600, 1, zeroblob(5000000)),
    ('0.0.0.0/0', 'app', unixepoch(), 600, 1, '{}'), ('203.0.113.3', 'app', 9e18, 600, 1, '{}')`;
const endless = 'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n';

function database(...statements: readonly string[]): void {
  const db = new DatabaseSync(join(dir, 'file'));
  for (const sql of statements) db.exec(sql);
  db.close();
}

it("reads each row of fail2ban's database by itself, and runs nothing of it", async () => {
  database(
    bips,
    `CREATE TRIGGER t AFTER INSERT ON bips BEGIN SELECT (${endless}); END; CREATE VIEW v AS ${endless}`,
  );
  expect(await imported('file')).toMatchObject({ active: 2, skipped: 2 });
  expect(daemon.control.jail('app')!.banned).toMatchObject([
    { ip: '203.0.113.1', until: null },
    { ip: '203.0.113.2' },
  ]);
});

it.each([
  [
    'a view in place of its table',
    () => database(`CREATE VIEW bips AS SELECT *, (${endless}) AS data FROM sqlite_schema`),
  ],
  [
    'a column that is computed',
    () => database(`CREATE TABLE bips (ip, jail, timeofban, bantime, bancount, data AS (hex(ip)))`),
  ],
  [
    'a pipe for its log',
    () => {
      database(bips);
      execFileSync('mkfifo', [join(dir, 'file-wal')]);
    },
  ],
])('refuses a database with %s at once', async (_, make) => {
  make();
  await expect(imported('file')).rejects.toMatchObject({ code: 'import-unreadable' });
});
