import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCommand } from '../../src/cli/fail2ban-client/commands.ts';
import type { Control } from '../../src/cli/fail2ban-client/control.ts';
import { increment, jailFormats } from '../../src/cli/fail2ban-client/jail-formats.ts';
import { statisticsTable } from '../../src/cli/fail2ban-client/statistics-table.ts';
import { ControlClient } from '../../src/control/client.ts';
import type { JailOptions } from '../../src/control/api.ts';
import { serveControl, type ControlServer } from '../../src/control/server.ts';
import { fakeController, nginxProxy } from '../control/fake-controller.ts';

let dir: string;
let server: ControlServer;
let control: Control;
let controller: ReturnType<typeof fakeController>;
let told: string[];

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dock2ban-client-commands-'));
  const socket = join(dir, 'dock2ban.sock');
  controller = fakeController();
  server = await serveControl(socket, controller);
  control = new ControlClient(socket);
  told = [];
});

afterEach(async () => {
  await server.close();
  rmSync(dir, { recursive: true, force: true });
});

function client(...words: string[]): Promise<string> {
  const defines = (jail: string) => Promise.resolve(jail === 'off');
  return runCommand({ control, words, warn: (line) => void told.push(line), defines });
}

const options: JailOptions = {
  bantime: -1,
  findtime: 600,
  maxretry: 5,
  maxmatches: 5,
  maxlines: 1,
  usedns: 'warn',
  stream: 'all',
  ignoreip: ['192.0.2.7', '192.0.2.0/24', 'example.org', 'file:/etc/ignored'],
  ignoreself: false,
  ignorecommand: '/bin/ask <ip>',
  ignorecache: 'key="<ip>", max-count=50, max-time=300',
  failregex: [],
  ignoreregex: ['^a', '^b'],
  prefregex: '^<F-CONTENT>.+</F-CONTENT>$',
  datepattern: 'Epoch',
  logtimezone: null,
  logencoding: 'latin1',
  logpath: [],
  journalmatch: ['_SYSTEMD_UNIT=sshd.service _COMM=sshd', '_UID=0'],
  increment: { 'bantime.increment': 'yes', 'bantime.maxtime': '1w', 'bantime.factor': '1.5' },
  blocktype: 'drop',
  ipv6prefix: 64,
};

describe('runCommand', () => {
  it('shows all jails, as fail2ban 1.1 does', async () => {
    expect(await client('status', '--all', 'short')).toBe(
      [
        'Status',
        '|- Number of jail:\t1',
        '|- Jail list:\tnginx-proxy',
        '`- Status for the jails:',
        '   `- Jail: nginx-proxy',
        '      |- Filter',
        '      |  |- Currently failed:\t1',
        '      |  |- Total failed:\t20',
        '      |  `- File list:\t/var/log/syslog',
        '      `- Actions',
        '         |- Currently banned:\t1',
        '         `- Total banned:\t4',
      ].join('\n'),
    );
  });

  it('shows what is taken of the journal', async () => {
    controller.jail = () => ({ ...nginxProxy, sources: ['journal'] });
    control.options = async () => ({
      ...options,
      journalmatch: ['_SYSTEMD_UNIT=sshd.service _COMM=sshd', '_UID=0'],
    });
    expect(await client('status', 'nginx-proxy')).toContain(
      '\n|  `- Journal matches:\t_SYSTEMD_UNIT=sshd.service _COMM=sshd + _UID=0\n',
    );
  });

  it('changes an option and prints what get would', async () => {
    expect(await client('set', 'nginx-proxy', 'maxretry', '7')).toBe('7');
    expect(await client('get', 'nginx-proxy', 'maxretry')).toBe('7');
    expect(await client('set', 'nginx-proxy', 'addignoreip', '192.0.2.0/24', '192.0.2.7')).toBe(
      'These IP addresses/networks are ignored:\n|- 192.0.2.0/24\n`- 192.0.2.7',
    );
    expect(await client('reload')).toBe('OK');
    expect(await client('get', 'nginx-proxy', 'maxretry')).toBe('5');
  });

  it('leaves an expression that there is not', async () => {
    const list = 'The following regular expression are defined:\n`- [0]: ^<HOST> .* 404';
    expect(await client('set', 'nginx-proxy', 'delfailregex', '1')).toBe(list);
    expect(told).toEqual(['jail nginx-proxy has no failregex 1']);
    expect(await client('set', 'nginx-proxy', 'delfailregex', '-1')).toBe('No regular expression is defined');
  });

  it('says which addresses could not be banned, and counts the others', async () => {
    expect(await client('set', 'nginx-proxy', 'banip', '127.0.0.1', '192.0.2.7')).toBe('1');
    expect(told).toEqual(['127.0.0.1: it is loopback']);
  });

  it('unbans those who are banned before it reports the others', async () => {
    const call = client('set', 'nginx-proxy', 'unbanip', '--report-absent', '192.0.2.7', '20.247.234.38');
    await expect(call).rejects.toThrow("not banned: ['192.0.2.7']");
    expect(controller.bans).toEqual(new Set());
  });

  it('counts an attempt for each line', async () => {
    expect(await client('set', 'nginx-proxy', 'attempt', '192.0.2.7', 'one', 'two')).toBe('1');
    expect(controller.live.attempts).toEqual(['192.0.2.7 one two']);
  });

  it('keeps the old configuration, and the bans, if the new one can not be used', async () => {
    controller.live.faults.push({ where: 'jail.local:3', message: 'no time', fix: 'write 10m' });
    await expect(client('reload', '--unban')).rejects.toMatchObject({ code: 'failed' });
    expect(told).toEqual(['jail.local:3: no time']);
    expect(controller.bans.size).toBe(1);
  });

  it('lifts the bans with --unban', async () => {
    expect(await client('restart', '--unban', 'nginx-proxy')).toBe('OK');
    expect(controller.bans.size).toBe(0);
  });

  it.each([
    ['the server', ['stop']],
    ['the server', ['restart']],
    ['log files', ['set', 'nginx-proxy', 'addlogpath', '/var/log/x']],
    ['actions', ['set', 'nginx-proxy', 'addaction', 'mail']],
    ['idling', ['set', 'nginx-proxy', 'idle', 'on']],
    ['new jails', ['add', 'more', 'auto']],
    ['the log level', ['set', 'loglevel', 'DEBUG']],
    ['the database', ['get', 'dbfile']],
    ['what is no address', ['set', 'nginx-proxy', 'banip', 'example.org']],
    ["an object's own properties", ['get', 'nginx-proxy', 'constructor']],
    ["an object's own properties", ['set', 'nginx-proxy', 'addtoString', 'x']],
    ["an object's own properties", ['get', 'toString']],
  ])('refuses %s on stdout: %s', async (_, words) => {
    const { bans } = controller;
    await expect(client(...words)).rejects.toMatchObject({ code: 'refused' });
    expect(bans.size).toBe(1);
  });
});

describe('jailFormats', () => {
  it.each([
    ['bantime', '-1'],
    [
      'ignoreip',
      'These IP addresses/networks are ignored:\n|- 192.0.2.0/24\n|- example.org\n|- file:/etc/ignored\n`- 192.0.2.7',
    ],
    ['ignoreself', 'False'],
    ['ignorecommand', '/bin/ask <ip>'],
    ['ignorecache', "['<ip>', 50, 300]"],
    ['failregex', 'No regular expression is defined'],
    ['ignoreregex', 'The following regular expression are defined:\n|- [0]: ^a\n`- [1]: ^b'],
    ['datepattern', 'Current date pattern set to: Epoch'],
    ['logencoding', 'Current log encoding is set to:\nlatin1'],
    ['logpath', 'No file is currently monitored'],
    ['journalmatch', 'Current match filter:\n_SYSTEMD_UNIT=sshd.service _COMM=sshd + _UID=0'],
  ])('%s', (option, text) => {
    expect(jailFormats[option]!(options)).toBe(text);
  });

  it.each([
    ['bantime.increment', 'True'],
    ['bantime.maxtime', '604800'],
    ['bantime.factor', '1.5'],
    ['bantime.rndtime', 'None'],
  ])('%s', (option, text) => {
    expect(increment(option, options)).toBe(text);
  });
});

describe('statisticsTable', () => {
  it('is the table of fail2ban 1.1', () => {
    const table = statisticsTable([
      { ...nginxProxy, jail: 'app' },
      {
        ...nginxProxy,
        jail: 'nginx-http-auth',
        sources: ['docker:web', 'docker:web2'],
        currentlyFailed: 0,
        totalFailed: 12_345,
        currentlyBanned: 0,
        totalBanned: 0,
      },
    ]);
    expect(table.replaceAll(' ', '.').split('\n')).toEqual([
      '.................║..........║.Filter......║.Actions..',
      '.Jail............║.Backend..╟─────────────╫───────────',
      '.................║..........║.cur.│...tot.║.cur.│.tot',
      '═════════════════╬══════════╬═════════════╬═══════════',
      '.app.............║.file.....║...1.│....20.║...1.│...4',
      '.nginx-http-auth.║.docker...║...0.│.12345.║...0.│...0',
      '═════════════════╩══════════╩═════════════╩═══════════',
    ]);
  });
});
