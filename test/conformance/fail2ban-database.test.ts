import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { localTime } from '../../src/text/local-time.ts';
import { importFail2ban } from '../store/import-fail2ban.ts';
import { Store } from '../../src/store/store.ts';
import { fail2banTree } from './fail2ban-tree.ts';

/** Jails of a fail2ban that bans nobody: its action does nothing. */
function configure(dir: string): void {
  for (const sub of ['filter.d', 'action.d']) mkdirSync(join(dir, sub));
  const files: Record<string, string> = {
    'fail2ban.conf': [
      '[Definition]',
      'loglevel = INFO',
      `logtarget = ${dir}/log`,
      'syslogsocket = auto',
      `socket = ${dir}/socket`,
      `pidfile = ${dir}/pid`,
      `dbfile = ${dir}/fail2ban.sqlite3`,
      'dbpurgeage = 1d',
      'dbmaxmatches = 3',
      'allowipv6 = yes',
    ].join('\n'),
    'filter.d/denied.conf': '[Definition]\nfailregex = ^ denied <ADDR>\n',
    'action.d/nothing.conf': '[Definition]\nactionban =\nactionunban =\n',
    'jail.conf': [
      '[DEFAULT]',
      'enabled = true',
      'filter = denied',
      'backend = polling',
      'action = nothing',
      'maxretry = 4',
      `logpath = ${dir}/app.log`,
      '[web]',
      'bantime = 10m',
      '[forever]',
      'maxretry = 100',
      'bantime = -1',
      '[short]',
      'maxretry = 100',
      'bantime = 1',
    ].join('\n'),
    'app.log': '',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), `${text}\n`);
}

/** Starts a fail2ban of its own, in the foreground. */
async function startFail2ban(dir: string): Promise<{ client: Client; stop: () => Promise<void> }> {
  const { pythonPath } = await fail2banTree();
  const options = { env: { PYTHONPATH: pythonPath, PATH: process.env['PATH'] ?? '', LC_ALL: 'C.UTF-8' } };
  const python = (program: string, ...args: string[]): string[] => [
    '-c',
    `import sys; from fail2ban.client.${program} import exec_command_line; exec_command_line(sys.argv)`,
    '-c',
    dir,
    '-s',
    join(dir, 'socket'),
    '-p',
    join(dir, 'pid'),
    ...args,
  ];
  const server = spawn('/usr/bin/python3', python('fail2banserver', '-f', 'start'), {
    ...options,
    stdio: 'ignore',
  });
  onTestFinished(() => void server.kill('SIGKILL'));
  const client: Client = async (...args) => {
    const { stdout } = await promisify(execFile)(
      '/usr/bin/python3',
      python('fail2banclient', ...args),
      options,
    );
    return stdout;
  };
  for (let tries = 0; ; tries++) {
    try {
      await client('ping');
      break;
    } catch (error) {
      if (tries === 100) throw error;
      await delay(100);
    }
  }
  const stop = async (): Promise<void> => {
    await Promise.all([once(server, 'exit'), client('stop')]);
  };
  return { client, stop };
}

type Client = (...args: string[]) => Promise<string>;

/** What `get JAIL banip --with-time` prints, without the time of the ban: fail2ban's database has it rounded. */
function printed(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replace(/\t.*? \+ /, '+ ').replace(/ = .*/, ''))
    .toSorted();
}

it('takes over from a real fail2ban what it bans, exactly, and what it remembers', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'dock2ban-fail2ban-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  configure(dir);
  const { client, stop } = await startFail2ban(dir);
  const began = Date.now();
  for (let n = 1; n <= 5; n++) {
    appendFileSync(join(dir, 'app.log'), `${localTime(new Date())} denied 203.0.113.5 "Grüße" ${n}\n`);
  }
  await client('set', 'web', 'banip', '203.0.113.9', '2001:db8::1', '203.0.113.64/26');
  await client('set', 'forever', 'banip', '198.51.100.7');
  await client('set', 'short', 'banip', '203.0.113.77');
  const log = (): string => readFileSync(join(dir, 'log'), 'utf8');
  await expect.poll(log, { timeout: 60_000 }).toContain('[short] Unban 203.0.113.77');
  await expect.poll(log, { timeout: 60_000 }).toContain('[web] Ban 203.0.113.5');
  const theirs = {
    web: await client('get', 'web', 'banip', '--with-time'),
    forever: await client('get', 'forever', 'banip', '--with-time'),
    short: await client('get', 'short', 'banip', '--with-time'),
  };
  await stop();

  const store = new Store({
    stateDir: join(dir, 'state'),
    purgeAge: 86_400,
    active: () => [],
    report: (event) => expect.unreachable(JSON.stringify(event)),
    clock: Date.now,
  });
  const skipped: string[] = [];
  const now = Date.now();
  const imported = importFail2ban(join(dir, 'fail2ban.sqlite3'), store, now, (reason) =>
    skipped.push(reason),
  );
  expect(skipped).toEqual([]);
  expect(imported).toEqual({ active: 5, remembered: 1, skipped: 0 });
  const bans = [...store.bans(now)];
  const ours = Object.entries(theirs).map(([jail, text]) => [
    printed(text),
    bans
      .filter((ban) => ban.jail === jail)
      .map(({ ip, since, until }) => `${ip} + ${until === undefined ? -1 : (until - since) / 1000}`)
      .toSorted(),
  ]);
  for (const [expected, found] of ours) expect(found).toEqual(expected);
  expect(bans).toHaveLength(5);
  for (const { since } of bans) {
    expect(since).toBeGreaterThanOrEqual(began - 1000);
    expect(since).toBeLessThanOrEqual(now);
  }
  const caught = store.get('web', '203.0.113.5');
  expect(caught).toMatchObject({ count: 1, container: undefined });
  expect(caught?.failures).toBeGreaterThanOrEqual(4);
  expect(caught?.lines).toHaveLength(3);
  for (const line of caught?.lines ?? [])
    expect(line).toMatch(/^[-\d]+ [:\d]+ denied 203\.0\.113\.5 "Grüße" \d$/);
  expect(store.history.count('203.0.113.77', 'short', now)).toBe(1);
  store.close();
});
