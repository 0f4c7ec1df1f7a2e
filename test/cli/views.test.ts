import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { importBans } from '../../src/cli/commands/import.ts';
import { logs } from '../../src/cli/commands/logs.ts';
import { duration, size, table } from '../../src/cli/table.ts';
import { top } from '../../src/cli/commands/top.ts';
import { wantsColors } from '../../src/text/colors.ts';
import { ControlClient } from '../../src/control/client.ts';
import { serveControl, type ControlServer } from '../../src/control/server.ts';
import { readFail2banDatabase } from '../../src/store/fail2ban-database.ts';
import { fakeController } from '../control/fake-controller.ts';

// Most run processes of their own.
vi.setConfig({ testTimeout: 60_000 });

let dir: string;
let socket: string;
let server: ControlServer;
let controller: ReturnType<typeof fakeController>;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dock2ban-cli-'));
  socket = join(dir, 'dock2ban.sock');
  controller = fakeController();
  server = await serveControl(socket, controller);
});

afterEach(async () => {
  await server.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Runs the real command line in a process of its own. */
async function dock2ban(...args: string[]) {
  const { exitCode, stdout, stderr } = await execa('node', ['src/main.ts', ...args], {
    reject: false,
    env: { DOCK2BAN_SOCKET: socket, TZ: 'UTC' },
    stripFinalNewline: false,
  });
  return { exitCode, stdout, stderr };
}

describe('logs', () => {
  it('prints the events that are held, as run prints them', async () => {
    controller.views.tell('found', 'sshd', '203.0.113.7');
    controller.views.tell('ban', 'nginx-proxy', '203.0.113.7\n[sshd] Ban 198.51.100.1');
    expect(await dock2ban('logs')).toEqual({
      exitCode: 0,
      stdout:
        '2026-11-22 13:44:53 INFO  [sshd] Found 203.0.113.7\n' +
        '2026-11-22 13:44:53 INFO  [nginx-proxy] Ban 203.0.113.7\\u000a[sshd] Ban 198.51.100.1 (by hand, permanent)\n',
      stderr: '',
    });
    const { stdout } = await dock2ban('logs', '-n', '5', '--jail', 'sshd', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ event: 'found', jail: 'sshd', ip: '203.0.113.7' });
  });

  it('follows until it is interrupted', async () => {
    for (let n = 0; n < 30; n++) controller.views.tell('found', 'sshd', `203.0.113.${n}`);
    const end = new AbortController();
    const printed: string[] = [];
    const following = logs(
      new ControlClient(socket),
      { follow: true, lines: undefined, jail: undefined, json: true },
      {
        screen: { print: (text) => printed.push(text), paint: () => expect.fail() },
        colors: false,
        signal: end.signal,
      },
    );
    await vi.waitFor(() => expect(printed).toHaveLength(10));
    await vi.waitFor(() => expect(controller.views.watchers.size).toBe(1));
    controller.views.tell('ban', 'sshd', '203.0.113.9');
    await vi.waitFor(() => expect(printed).toHaveLength(11));
    expect(JSON.parse(printed[10]!)).toMatchObject({ event: 'ban' });
    end.abort();
    expect(await following).toBe(0);
    await vi.waitFor(() => expect(controller.views.watchers.size).toBe(0));
  });

  it('says that the controller has ended', async () => {
    const following = dock2ban('logs', '-f');
    await vi.waitFor(() => expect(controller.views.watchers.size).toBe(1), { timeout: 10_000 });
    await server.close();
    expect(await following).toMatchObject({ exitCode: 69, stderr: expect.stringContaining('ended') });
  });

  it('ends when nobody reads what it prints', async () => {
    const child = spawn('node', ['src/main.ts', 'logs', '-f'], {
      env: { ...process.env, DOCK2BAN_SOCKET: socket },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await vi.waitFor(() => expect(controller.views.watchers.size).toBe(1), { timeout: 10_000 });
    child.stdout.destroy();
    const telling = setInterval(() => controller.views.tell('ban', 'sshd', '203.0.113.9'), 10);
    expect(await ended).toBe(0);
    clearInterval(telling);
  });
});

describe('stats, top and why', () => {
  it('stats prints tables', async () => {
    const { stdout, exitCode } = await dock2ban('stats');
    expect(exitCode).toBe(0);
    expect(stdout).toContain(
      'JAIL         FAILING  BANNED  FAILURES  BANS  RESTORED  UNBANS  NOT BELIEVED  EVER BANNED\n' +
        'nginx-proxy        1       1        20     4         1       3             0            3\n',
    );
    expect(stdout).toContain('/var/log/syslog  100 lines        20\n');
    expect(JSON.parse((await dock2ban('stats', '--json')).stdout)).toEqual(controller.views.stats());
  });

  it('top prints once where there is no terminal', async () => {
    const { stdout } = await dock2ban('top');
    expect(stdout).toContain(
      'JAIL         FAILURES/MIN  BANS/MIN  FAILING  BANNED\nnginx-proxy             5 ',
    );
    expect(stdout).not.toContain('\u001b');
  });

  it('top shows a page of a terminal anew, and gives the terminal back', async () => {
    const end = new AbortController();
    const printed: string[] = [];
    const running = top(
      new ControlClient(socket),
      { json: false, terminal: () => ({ rows: 4, columns: 20 }), signal: end.signal },
      { print: () => expect.fail(), paint: (text) => printed.push(text) },
    );
    await vi.waitFor(() => expect(printed.length).toBeGreaterThanOrEqual(3), { timeout: 10_000 });
    end.abort();
    expect(await running).toBe(0);
    expect(printed[0]).toBe('\u001b[?1049h\u001b[?25l');
    expect(printed.at(-1)).toBe('\u001b[?25h\u001b[?1049l');
    const page = printed[1]!.replaceAll(/\u001b\[\w/g, '').split('\n');
    expect(page.slice(0, -1)).toEqual(['dock2ban 0.1.0, up 1', '', 'JAIL         FAILURE']);
  });

  it('why tells of an address, and what attackers wrote is plain text', async () => {
    const { stdout, exitCode } = await dock2ban('why', '20.247.234.38');
    expect(exitCode).toBe(0);
    expect(stdout).toBe(
      '20.247.234.38 is banned\n[nginx-proxy]\n' +
        '  Banned since 2026-11-22 13:44:53 until 2026-11-22 13:54:53 (ban number 3, after 5 failures, logged by nginx-proxy)\n' +
        '    | app 20.247.234.38 - - "GET /\\u001b[2J" 404\n',
    );
    expect(await dock2ban('why', '192.0.2.1')).toMatchObject({
      exitCode: 1,
      stdout: '192.0.2.1: no bans or failures on record\n',
    });
    expect(await dock2ban('why', 'nobody')).toMatchObject({ exitCode: 2, stdout: '' });
    expect(JSON.parse((await dock2ban('why', '192.0.2.1', '--json')).stdout)).toMatchObject({ jails: [] });
  });
});

describe('export and import', () => {
  const parts = () => ({
    client: new ControlClient(socket),
    readDatabase: readFail2banDatabase,
    now: Date.now,
    output: { print: () => expect.unreachable(), warn: () => undefined },
  });

  it('go through a file that only its owner can read', async () => {
    const file = join(dir, 'bans.json');
    expect(await dock2ban('export', file)).toMatchObject({ exitCode: 0, stdout: '' });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { stdout } = await dock2ban('export');
    expect(stdout).toBe(readFileSync(file, 'utf8'));
    expect(await dock2ban('import', file)).toEqual({
      exitCode: 0,
      stdout: 'Imported: 1 active bans, 0 of them enforced now, and the history of 0 expired bans\n',
      stderr: '1 bans wait for jail sshd, which does not run: they are enforced when it starts\n',
    });
    expect(controller.views.imported).toMatchObject([{ ip: '20.247.234.38' }]);
    // However it is laid out.
    writeFileSync(file, JSON.stringify(JSON.parse(stdout), null, 2));
    const again = JSON.parse((await dock2ban('import', file, '--json')).stdout);
    expect(again).toMatchObject({ active: 1, waiting: { sshd: 1 }, skipped: 0 });
  });

  it('leave nothing half written', async () => {
    const file = join(dir, 'none', 'bans.json');
    expect(await dock2ban('export', file)).toMatchObject({ exitCode: 1 });
    await server.close();
    const other = join(dir, 'bans.json');
    expect(await dock2ban('export', other)).toMatchObject({ exitCode: 69 });
    expect(() => statSync(other)).toThrow('ENOENT');
  });

  it.each([
    ['', 'cannot be imported'],
    ['{}', 'it has no "export" and "bans"'],
    ['{"export":2,"bans":[]}', 'newer dock2ban'],
    ['{"export":1,"bans":7}', '"bans" is no list'],
    ['SQLite format 3\0 and nothing', 'cannot be read as a database of fail2ban'],
  ])('refuse the file %j', async (text, said) => {
    const file = join(dir, 'file');
    writeFileSync(file, text);
    await expect(importBans(file, false, parts())).rejects.toThrow(said);
    expect(controller.views.imported).toEqual([]);
  });

  it.each(['none', '.'])('refuse %s, which is no file', async (name) => {
    await expect(importBans(join(dir, name), false, parts())).rejects.toMatchObject({
      code: 'import-unreadable',
      fix: expect.stringContaining('/var/lib/fail2ban/fail2ban.sqlite3'),
    });
  });

  it('send bans in portions that a request can hold', async () => {
    const line = 'é'.repeat(1000);
    const ban = { jail: 'sshd', since: 1, until: undefined, count: 1, failures: 1, container: undefined };
    const bans = Array.from({ length: 3000 }, (_, n) => ({
      ...ban,
      ip: `203.0.${n >> 8}.${n & 255}`,
      lines: n < 1000 ? [line] : [],
    }));
    const sizes: number[] = [];
    const file = join(dir, 'db');
    writeFileSync(file, 'SQLite format 3\0');
    const printed: string[] = [];
    await importBans(file, true, {
      client: {
        import: async (portion) => {
          sizes.push(portion.length);
          expect(Buffer.byteLength(JSON.stringify({ bans: portion }))).toBeLessThan(1024 * 1024);
          return {
            active: portion.length,
            remembered: 0,
            enforced: 0,
            waiting: { sshd: portion.length },
            refused: [],
            skipped: [],
          };
        },
      },
      readDatabase: () => bans,
      now: () => 0,
      output: { print: (text) => printed.push(text), warn: () => expect.unreachable() },
    });
    expect(Math.max(...sizes)).toBe(250);
    expect(JSON.parse(printed.join(''))).toMatchObject({ active: 3000, waiting: { sshd: 3000 } });
  });
});

describe('completion', () => {
  it.each([
    [
      ['dock2ban', 'sta'],
      ['status', 'stats'],
    ],
    [['dock2ban', 'status', 'ngi'], ['nginx-proxy']],
    [['dock2ban', 'ban', ''], ['nginx-proxy']],
    [['dock2ban', 'logs', '--jail', ''], ['nginx-proxy']],
    [['dock2ban', 'logs', '--fol'], ['--follow']],
    [
      ['dock2ban', 'completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [
      ['dock2ban', 'run', '--firewall', ''],
      ['auto', 'docker-user', 'nftables', 'none'],
    ],
  ])('in bash, of %j', async (words, expected) => {
    const script = [
      'dock2ban() { node src/main.ts "$@"; }',
      'source <(dock2ban completion bash)',
      'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))',
      '_dock2ban; printf "%s\\n" "${COMPREPLY[@]}"',
    ].join('\n');
    const { stdout } = await execa('bash', ['-c', script, 'bash', ...words], {
      env: { DOCK2BAN_SOCKET: socket },
    });
    for (const word of expected) expect(stdout.split('\n')).toContain(word);
    const last = words.at(-1)!;
    for (const word of stdout.split('\n')) expect(word.startsWith(last)).toBe(true);
  });

  it('works without a controller', async () => {
    await server.close();
    const { stdout, exitCode } = await dock2ban('--get-yargs-completions', 'dock2ban', 'status', '');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('--json');
  });

  it.each(['zsh', 'fish'])('has a script for %s', async (shell) => {
    const { stdout } = await dock2ban('completion', shell);
    expect(stdout).toContain(`SHELL=${shell} dock2ban --get-yargs-completions`);
  });
});

it('tables are aligned, numbers to the right', () => {
  expect(
    table([
      ['NAME', 'N'],
      ['a', 5],
      ['long\u001bname', 100],
    ]),
  ).toEqual(['NAME              N', 'a                 5', String.raw`long\u001bname  100`]);
});

it.each([
  [0, '0s'],
  [59, '59s'],
  [60, '1m'],
  [6293, '1h 44m'],
  [90_000, '1d 1h'],
])('%i seconds are %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

it.each([
  [true, {}, true],
  [false, {}, false],
  [true, { NO_COLOR: '1' }, false],
  [true, { NO_COLOR: '' }, true],
  [true, { TERM: 'dumb' }, false],
])('a terminal %s with %j has colours: %s', (isTTY, env, expected) => {
  expect(wantsColors({ isTTY }, env)).toBe(expected);
});

it.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.5 KiB'],
  [86_000_000, '82.0 MiB'],
])('%i bytes are %s', (bytes, text) => {
  expect(size(bytes)).toBe(text);
});
