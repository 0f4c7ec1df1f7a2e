import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execa } from 'execa';
import { serveControl, type ControlServer } from '../../src/control/server.ts';
import { fakeController } from '../control/fake-controller.ts';

let dir: string;
let socket: string;
let server: ControlServer;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dock2ban-cli-'));
  socket = join(dir, 'dock2ban.sock');
  server = await serveControl(socket, fakeController());
});

afterAll(async () => {
  await server.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Runs the real command line in a process of its own. */
async function dock2ban(...args: string[]) {
  return dock2banIn({}, ...args);
}

async function dock2banIn(env: Record<string, string>, ...args: string[]) {
  const { exitCode, stdout, stderr } = await execa('node', ['src/main.ts', ...args], {
    reject: false,
    env: { DOCK2BAN_SOCKET: socket, ...env },
    stripFinalNewline: false,
  });
  return { exitCode, stdout, stderr };
}

describe('dock2ban', () => {
  it("status prints fail2ban's tree", async () => {
    expect(await dock2ban('status')).toMatchObject({
      exitCode: 0,
      stdout: 'Status\n|- Number of jail:\t1\n`- Jail list:\tnginx-proxy\n',
    });
  });

  it("status JAIL prints fail2ban's tree to the letter, and whether bans are corroborated", async () => {
    const { exitCode, stdout } = await dock2ban('status', 'nginx-proxy');
    expect(exitCode).toBe(0);
    expect(stdout).toBe(
      [
        'Status for the jail: nginx-proxy',
        '|- Filter',
        '|  |- Currently failed:\t1',
        '|  |- Total failed:\t20',
        '|  `- File list:\t/var/log/syslog',
        '`- Actions',
        '   |- Currently banned:\t1',
        '   |- Total banned:\t4',
        '   `- Banned IP list:\t20.247.234.38',
        'Bans are checked against connections: on',
        '',
      ].join('\n'),
    );
  });

  it('status --json is for programs', async () => {
    const { stdout } = await dock2ban('status', 'nginx-proxy', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ jail: 'nginx-proxy', banned: [{ ip: '20.247.234.38' }] });
  });

  it('ban, banned and unban go together', async () => {
    expect(await dock2ban('ban', 'nginx-proxy', '192.0.2.9', '2001:DB8::0:9')).toMatchObject({
      exitCode: 0,
      stdout: '2\n',
    });
    expect(await dock2ban('banned')).toMatchObject({
      exitCode: 0,
      stdout: "[{'nginx-proxy': ['20.247.234.38', '192.0.2.9', '2001:db8::9']}]\n",
    });
    expect(await dock2ban('banned', '192.0.2.9')).toMatchObject({
      exitCode: 0,
      stdout: "[['nginx-proxy']]\n",
    });
    expect(await dock2ban('unban', 'nginx-proxy', '192.0.2.9')).toMatchObject({ exitCode: 0, stdout: '1\n' });
    expect(await dock2ban('unban', '2001:db8::9')).toMatchObject({ exitCode: 0, stdout: '1\n' });
    expect(await dock2ban('banned', '192.0.2.9')).toMatchObject({ exitCode: 1, stdout: '[[]]\n' });
    expect(await dock2ban('unban', '192.0.2.9')).toMatchObject({ exitCode: 1, stdout: '0\n' });
  });

  it('ban, banned and unban take prefixes, and tell what covers an address', async () => {
    expect(await dock2ban('ban', 'nginx-proxy', '203.0.113.7/24')).toMatchObject({
      exitCode: 0,
      stdout: '1\n',
    });
    expect(await dock2ban('banned', '203.0.113.9')).toEqual({
      exitCode: 0,
      stdout: "[['nginx-proxy']]\n",
      stderr: '203.0.113.9: jail nginx-proxy bans 203.0.113.0/24, which covers it\n',
    });
    expect(await dock2ban('unban', '203.0.113.0/24')).toMatchObject({ exitCode: 0, stdout: '1\n' });
    expect(await dock2ban('banned', '203.0.113.9')).toMatchObject({
      exitCode: 1,
      stdout: '[[]]\n',
      stderr: '',
    });
  });

  it("is not disturbed by environment variables of other commands: a container's health check has them all", async () => {
    const env = { DOCK2BAN_ON_STOP: 'flush', DOCK2BAN_CONFIG_DIR: '/x', DOCK2BAN_FIREWALL: 'none' };
    expect(await dock2banIn(env, 'status')).toMatchObject({ exitCode: 0 });
  });

  it.each([
    [{ DOCK2BAN_ONSTOP: 'flush' }, 'Unknown argument: onstop'],
    [{ DOCK2BAN_FIREWALL: 'ufw' }, 'Given: "ufw"'],
  ])('run refuses the environment %j', async (env, text) => {
    const { exitCode, stderr } = await dock2banIn(env, 'run');
    expect(exitCode).toBe(2);
    expect(stderr).toContain(text);
  });

  it('says why an address is refused', async () => {
    expect(await dock2ban('ban', 'nginx-proxy', '127.0.0.1')).toEqual({
      exitCode: 1,
      stdout: '0\n',
      stderr: '127.0.0.1: it is loopback\n',
    });
  });

  it.each([
    [['status', 'nginx'], 1, "Sorry but the jail 'nginx' does not exist"],
    [['ban', 'nginx-proxy', '192.0.2.999'], 2, "'192.0.2.999' is no IP address"],
    [['unban'], 2, 'name the addresses to unban'],
    [['unban', '--all', '192.0.2.1'], 2, 'name the addresses to unban'],
    [['banned', 'nobody'], 2, "'nobody' is no IP address"],
    [['ban', 'nginx-proxy', '0.0.0.0/0'], 2, "'0.0.0.0/0' is every address"],
    [['unban', '203.0.113.0/33'], 2, "'203.0.113.0/33' is no IP address or prefix"],
    [['bann', 'nginx-proxy'], 2, 'unknown command: bann; did you mean ban?\nsee dock2ban --help\n'],
    [['frobnicate'], 2, 'unknown command: frobnicate\nsee dock2ban --help\n'],
    [['why'], 2, 'arguments missing: dock2ban why <ip>\nsee dock2ban why --help\n'],
    [['status', '--jsn'], 2, 'Unknown argument: jsn\nsee dock2ban status --help\n'],
    [
      ['status', '--socket', '/nonexistent/dock2ban.sock'],
      69,
      'no controller answers on /nonexistent/dock2ban.sock',
    ],
    [['run', '--firewall', 'ufw'], 2, 'Invalid values'],
  ])('%j ends with %i', async (args, code, text) => {
    const { exitCode, stdout, stderr } = await dock2ban(...args);
    expect(stderr).toContain(text);
    expect(stdout).toBe('');
    expect(exitCode).toBe(code);
  });

  it('without a command prints the help', async () => {
    const { exitCode, stdout, stderr } = await dock2ban();
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain('dock2ban run ');
    expect(stderr).toContain('dock2ban uninstall-rules ');
  });
});

describe('what is asked of a controller', () => {
  const src = resolve('src');

  /** All that a file loads at once. */
  function loadedBy(file: string, known = new Set<string>()): Set<string> {
    if (known.has(file)) return known;
    known.add(file);
    const text = readFileSync(file, 'utf8');
    for (const [, path = ''] of text.matchAll(/^(?:import|export) (?!type)[^;]*?from '(\.[^']+\.ts)';/gm))
      loadedBy(resolve(dirname(file), path), known);
    return known;
  }

  it.each(['ban', 'banned', 'export', 'logs', 'reload', 'stats', 'status', 'top', 'unban', 'why'])(
    '%s loads nothing of the controller, of doctor and of filters',
    (name) => {
      const loaded = [...loadedBy(join(src, `cli/commands/${name}.ts`)), ...loadedBy(join(src, 'main.ts'))];
      expect(loaded.length).toBeGreaterThan(5);
      const heavy = loaded.filter((file) =>
        /^(?:daemon|doctor|docker|filter|firewall|sources|store)\//.test(relative(src, file)),
      );
      expect(heavy).toEqual([]);
    },
  );
});
