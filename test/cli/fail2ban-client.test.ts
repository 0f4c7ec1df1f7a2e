import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { execa } from 'execa';
import { serveControl, type ControlServer } from '../../src/control/server.ts';
import { fakeController } from '../control/fake-controller.ts';

const { version }: { version: string } = JSON.parse(readFileSync('package.json', 'utf8'));

let dir: string;
let socket: string;
let server: ControlServer;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dock2ban-client-'));
  socket = join(dir, 'dock2ban.sock');
  server = await serveControl(socket, fakeController());
  for (const name of ['fail2ban-client', 'fail2ban-regex'])
    symlinkSync(resolve('src/main.ts'), join(dir, name));
});

afterAll(async () => {
  await server.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Runs the real program in a process of its own, under another name, as by the image's symbolic links. */
async function called(name: string, ...args: string[]) {
  const { exitCode, stdout, stderr } = await execa('node', [join(dir, name), ...args], {
    reject: false,
    env: {
      DOCK2BAN_SOCKET: socket,
      DOCK2BAN_CONFIG_DIR: dir,
      DOCKER_HOST: `unix://${dir}/no-docker.sock`,
      TZ: 'UTC',
    },
    stripFinalNewline: false,
  });
  return { exitCode, stdout, stderr };
}

const client = (...args: string[]) => called('fail2ban-client', ...args);

// Processes of their own start slowly on a busy machine.
const timeout = 30_000;

describe('fail2ban-client', { timeout }, () => {
  it.each([
    [['ping'], 'Server replied: pong\n'],
    [['version'], '0.1.0\n'],
    [['status'], 'Status\n|- Number of jail:\t1\n`- Jail list:\tnginx-proxy\n'],
    [['banned'], "[{'nginx-proxy': ['20.247.234.38']}]\n"],
    [['banned', '20.247.234.38', '192.0.2.9'], "[['nginx-proxy'], []]\n"],
    [['get', 'nginx-proxy', 'banip'], '20.247.234.38\n'],
    [
      ['get', 'nginx-proxy', 'banip', '--with-time'],
      '20.247.234.38 \t2026-11-22 13:44:53 + 600 = 2026-11-22 13:54:53\n',
    ],
    [['-q', 'set', 'nginx-proxy', 'banip', '192.0.2.7', '192.0.2.8'], '2\n'],
    [['set', 'nginx-proxy', 'unbanip', '192.0.2.7'], '1\n'],
    [['--str2sec', '1d12h'], '129600\n'],
    [['-V'], `${version}\n`],
    [['--version'], `dock2ban v${version}\n`],
    [['unban', '192.0.2.8'], '1\n'],
    [['unban', '--all'], '1\n'],
  ])('%s', async (args, stdout) => {
    expect(await client(...args)).toEqual({ exitCode: 0, stdout, stderr: '' });
  });

  it('status JAIL prints the tree', async () => {
    const { exitCode, stdout } = await client('-s', socket, 'status', 'nginx-proxy');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Status for the jail: nginx-proxy\n\|- Filter\n/);
  });

  it('answers as fail2ban-client does for a jail that there is not', async () => {
    expect(await client('status', 'nope')).toMatchObject({
      exitCode: 255,
      stdout: "Sorry but the jail 'nope' does not exist\n",
    });
  });

  it.each([
    [['ping'], /no controller answers/],
    [['frobnicate'], /no controller answers/],
    [['--zz'], /--zz/],
    [['set', 'nginx-proxy', 'banip', '192.0.2.7'], /no controller answers/],
  ])('fails with 255: %s', async (args, message) => {
    const { exitCode, stdout, stderr } = await client('-s', join(dir, 'nobody.sock'), ...args);
    expect({ exitCode, stdout }).toEqual({ exitCode: 255, stdout: '' });
    expect(stderr).toMatch(message);
  });

  it('-i takes commands from what is piped to it, as a script does', async () => {
    const { exitCode, stdout } = await execa('node', [join(dir, 'fail2ban-client'), '-i'], {
      env: { DOCK2BAN_SOCKET: socket },
      input: "ping\nget nope bantime\nset nginx-proxy banip '192.0.2.77'\nexit\nping\n",
    });
    expect(exitCode).toBe(0);
    expect(stdout.split('\n').slice(2)).toEqual([
      'fail2ban> Server replied: pong',
      "fail2ban> Sorry but the jail 'nope' does not exist",
      'fail2ban> 1',
      'fail2ban> ',
    ]);
    await client('unban', '192.0.2.77');
  });

  it('without a command, prints its help and fails', async () => {
    const { exitCode, stdout } = await client();
    expect(exitCode).toBe(255);
    expect(stdout).toMatch(/^Usage: fail2ban-client /);
  });

  it('-d dumps the resolved jails, -t tests the configuration', async () => {
    writeFileSync(
      join(dir, 'jail.local'),
      "[app]\nenabled = true\nfailregex = ^it's <HOST>$\n\tb <HOST>\nlogpath = /var/log/app.log\nport = 80\nbantime = 1h\n",
    );
    const dump = await client('-d');
    expect(dump.exitCode).toBe(0);
    expect(dump.stdout.split('\n')).toEqual(
      expect.arrayContaining([
        "['add', 'app', 'auto']",
        `['multi-set', 'app', 'addfailregex', ["^it's <HOST>$", 'b <HOST>']]`,
        "['set', 'app', 'bantime', 3600]",
        "['set', 'app', 'addlogpath', '/var/log/app.log', 'head']",
        "['start', 'app']",
      ]),
    );
    expect(await client('-t')).toMatchObject({
      exitCode: 0,
      stdout: 'OK: configuration test is successful\n',
    });
    writeFileSync(join(dir, 'jail.local'), '[app]\nenabled = true\nfailregex = (\nlogpath = /x\n');
    const broken = await client('--test');
    expect(broken).toMatchObject({ exitCode: 255, stdout: '' });
    expect(broken.stderr).toMatch(/^error: .*jail\.local:3: .*\nERROR: test configuration failed\n$/);
  });
});

describe('fail2ban-regex', { timeout }, () => {
  it('is dock2ban regex', async () => {
    const { exitCode, stdout } = await called('fail2ban-regex', 'from 192.0.2.1', 'from <HOST>$');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Lines: 1 lines, 0 ignored, 1 matched, 0 missed\n');
    const direct = await execa('node', [
      'src/main.ts',
      'regex',
      '-o',
      'ip',
      'from 192.0.2.1',
      'from <HOST>$',
    ]);
    expect(direct.stdout).toBe('192.0.2.1');
  });

  it('refuses unknown options with 2', async () => {
    expect(await called('fail2ban-regex', '--zz', 'x', '<HOST>')).toMatchObject({ exitCode: 2, stdout: '' });
  });
});
