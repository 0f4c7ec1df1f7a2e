import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fail2banTree, type Fail2banTree } from './fail2ban-tree.ts';
import { mixedLog } from './mixed-log.ts';

/** Each with the sample log that its lines come from. */
const filters: readonly (readonly [call: string, samples: string])[] = [
  ['sshd', 'sshd'],
  ['sshd[mode=aggressive]', 'sshd'],
  ['sshd[mode=ddos]', 'sshd'],
  ['nginx-http-auth[mode=aggressive]', 'nginx-http-auth'],
  ['nginx-botsearch', 'nginx-botsearch'],
  ['nginx-limit-req', 'nginx-limit-req'],
  ['apache-auth', 'apache-auth'],
  ['apache-badbots', 'apache-badbots'],
  ['apache-noscript', 'apache-noscript'],
  ['postfix[mode=aggressive]', 'postfix'],
  ['dovecot[mode=aggressive]', 'dovecot'],
  ['exim[mode=aggressive]', 'exim'],
  ['vsftpd', 'vsftpd'],
  ['proftpd', 'proftpd'],
  ['asterisk', 'asterisk'],
  ['named-refused', 'named-refused'],
  ['mysqld-auth', 'mysqld-auth'],
  ['roundcube-auth', 'roundcube-auth'],
  ['gitlab', 'gitlab'],
  ['grafana', 'grafana'],
  ['traefik-auth', 'traefik-auth'],
  ['recidive', 'recidive'],
  ['lighttpd-auth', 'lighttpd-auth'],
  ['haproxy-http-auth', 'haproxy-http-auth'],
  // Several lines at once.
  ['mongodb-auth', 'mongodb-auth'],
  ['guacamole', 'guacamole'],
  ['slapd', 'slapd'],
  ['pam-generic', 'pam-generic'],
];

let tree: Fail2banTree;
let directory: string;

beforeAll(async () => {
  tree = await fail2banTree();
  directory = mkdtempSync(join(tmpdir(), 'dock2ban-regex-'));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const locale = { LC_ALL: 'C.UTF-8', TZ: 'Europe/Berlin' };

/** Debian's. Names in logs resolve nowhere: both tools are asked without DNS, or with names as they are. */
function theirs(...args: string[]): string {
  const run =
    'import sys; from fail2ban.client.fail2banregex import exec_command_line; exec_command_line(sys.argv[1:])';
  return execFileSync('/usr/bin/python3', ['-c', run, ...args], {
    env: { ...locale, PYTHONPATH: tree.pythonPath, PYTHONWARNINGS: 'ignore' },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
}

function ours(...args: string[]): string {
  return execFileSync('node', ['src/main.ts', 'regex', ...args], {
    env: { ...process.env, ...locale },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
}

/** What may differ: how long it took. */
function normalised(text: string): string {
  return text.replace(/^\[processed in .*$/m, '[processed]');
}

function countsOf(text: string): string {
  const lines = /^Lines: .*$/m.exec(text)?.[0] ?? 'no counts';
  const hits = [...text.matchAll(/^\| +(\d+)\) \[(\d+)\]/gm)].map(([, index, count]) => `${index}:${count}`);
  return [lines, ...hits].join(' ');
}

async function logOf(samples: string): Promise<string> {
  const path = join(directory, `${samples}.log`);
  writeFileSync(path, mixedLog(await readFile(join(tree.samples, samples), 'utf8'), 2000));
  return path;
}

describe('dock2ban regex counts as fail2ban-regex does, over generated logs', () => {
  const tally = { filters: 0, lines: 0, matched: 0, missed: 0, ignored: 0 };
  afterAll(() => {
    const { filters: agreed, ...lines } = tally;
    console.log(`${agreed} of ${filters.length} filters agree, over`, lines);
  });

  it.each(filters)('%s', async (call, samples) => {
    const log = await logOf(samples);
    const args = ['-c', tree.config, '--raw', log, call];
    const expected = countsOf(theirs(...args));
    expect(countsOf(ours(...args))).toBe(expected);
    const [, lines, ignored, matched, missed] =
      /(\d+) lines, (\d+) ignored, (\d+) matched, (\d+) missed/.exec(expected)!;
    expect(Number(matched)).toBeGreaterThan(50);
    expect(Number(missed)).toBeGreaterThan(50);
    tally.filters += 1;
    tally.lines += Number(lines);
    tally.ignored += Number(ignored);
    tally.matched += Number(matched);
    tally.missed += Number(missed);
  });
});

describe('dock2ban regex prints what fail2ban-regex prints', () => {
  const sample = (name: string): string => join(tree.samples, name);

  it.each<[string, () => string[]]>([
    ['a filter, verbose', () => ['-v', sample('sshd'), 'sshd']],
    [
      'a filter with options, all lines',
      () => [
        '--print-all-missed',
        '--print-all-ignored',
        '--print-all-matched',
        sample('sshd'),
        'sshd[mode=aggressive]',
      ],
    ],
    ['its real options', () => ['-vv', sample('dovecot'), 'dovecot[mode=aggressive]']],
    ['several lines at once', () => ['-v', '--print-all-matched', sample('mongodb-auth'), 'mongodb-auth']],
    ['a filter file', () => [sample('vsftpd'), join(tree.config, 'filter.d/vsftpd.conf')]],
    [
      'an expression that ignores',
      () => ['Nov 22 10:00:00 box app: bad login from 192.0.2.1', 'login from <HOST>$', 'bad'],
    ],
    ['lines on the command line', () => ['a\nb 192.0.2.1\nc\nd\ne\nf\ng', ' <HOST>$']],
    [
      'a date pattern and a number of lines',
      () => ['-d', '%Y/%m/%d', '-L', '2', '2026/11/22 192.0.2.1', '<HOST>'],
    ],
    ['no lines', () => ['--print-no-missed', '--print-no-ignored', sample('sshd'), 'sshd']],
    ['the first expression only', () => ['--no-check-all', sample('dovecot'), 'dovecot']],
    ['a zone', () => ['-v', '--TZ', 'UTC+0500', '2026-11-22 10:00:00 192.0.2.1', '<HOST>']],
    ['ids', () => ['-o', 'id', sample('dovecot'), 'dovecot']],
    ['addresses', () => ['-o', 'ip', sample('sshd'), 'sshd']],
    ['lines of failures', () => ['-o', 'msg', sample('sshd'), 'sshd']],
    ['a field', () => ['-o', 'user', sample('dovecot'), 'dovecot']],
    ['a text', () => ['-o', '<ip> <F-USER> <time> <fid> <family>', sample('apache-auth'), 'apache-auth']],
    ['rows', () => ['-o', 'row', sample('vsftpd'), 'vsftpd']],
  ])('%s', (_, args) => {
    const words = ['-c', tree.config, '--raw', ...args()];
    expect(normalised(ours(...words))).toBe(normalised(theirs(...words)));
  });
});
