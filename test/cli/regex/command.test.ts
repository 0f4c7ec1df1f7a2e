import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { linesOf, runRegex } from './run-regex.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'dock2ban-regex-'));
});

afterEach(() => rmSync(directory, { recursive: true }));

function file(path: string, content: string | Uint8Array): string {
  const full = join(directory, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, content);
  return full;
}

const line = 'Nov 22 13:44:53 box app: bad login from 192.0.2.1';
const filter = (body: string): string => `[Definition]\n${body}\n`;

describe('what REGEX may be', () => {
  it('an expression', async () => {
    const result = await runRegex([line, 'bad login from <HOST>$']);
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain(
      'Use   failregex line : bad login from <HOST>$\nUse      single line : Nov 22 13:44:53',
    );
    expect(linesOf(result)).toBe('1 lines, 0 ignored, 1 matched, 0 missed');
  });

  it('a filter of the configuration with options and its .local', async () => {
    file(
      'filter.d/app.conf',
      filter(
        'failregex = ^never <HOST>$\n    <alt_<mode>>\nalt_normal = ^x <HOST>\nalt_strict = login from <HOST>$',
      ),
    );
    file('filter.d/app.local', filter('ignoreregex = good'));
    const result = await runRegex(['-c', directory, line, 'app[mode=strict]']);
    expect(result.stdout).toContain(
      `Use   failregex filter file : app, basedir: ${directory}\nUse   filter options : {'mode': 'strict'}`,
    );
    expect(result.stdout).toContain('|   2) [1] login from <HOST>$');
    expect(linesOf(result)).toBe('1 lines, 0 ignored, 1 matched, 0 missed');
  });

  it('a filter shipped with dock2ban', async () => {
    const request =
      'example.org 192.0.2.1 - - [22/Nov/2026:13:44:53 +0000] "GET /x HTTP/1.1" 404 153 "-" "curl" "172.18.0.3:80"';
    expect(linesOf(await runRegex([request, 'nginx-proxy']))).toBe('1 lines, 0 ignored, 1 matched, 0 missed');
  });

  it('the path of a filter in a filter.d, whose .local counts', async () => {
    const path = file('other/filter.d/app.conf', filter('failregex = ^never <HOST>$'));
    file('other/filter.d/app.local', filter('failregex = login from <HOST>$'));
    const result = await runRegex([line, path]);
    expect(result.stdout).toContain(
      `Use   failregex filter file : app, basedir: ${join(directory, 'other')}`,
    );
    expect(linesOf(result)).toBe('1 lines, 0 ignored, 1 matched, 0 missed');
  });

  it('the path of a file elsewhere, with what it includes and nothing else', async () => {
    file('mine/base.conf', '[DEFAULT]\n_end = from <HOST>$\n');
    file('mine/app.local', filter('failregex = ^never <HOST>$'));
    file('mine/app.conf', `[INCLUDES]\nbefore = base.conf\n${filter('failregex = login %(_end)s')}`);
    for (const path of ['mine/app.conf', 'mine/app']) {
      const result = await runRegex([line, join(directory, path)]);
      expect(result.stdout).toContain(`Use   failregex file : ${join(directory, path)}`);
      expect(linesOf(result)).toBe('1 lines, 0 ignored, 1 matched, 0 missed');
    }
  });

  it('a jail, with its own failregex, unless a filter has that name', async () => {
    file('filter.d/base.conf', filter('failregex = ^never <HOST>$'));
    file(
      'jail.local',
      '[shop]\nfilter = base\nfailregex = login from <HOST>$\n[base]\nfailregex = login from <HOST>$\n',
    );
    const shop = await runRegex(['-c', directory, line, 'shop']);
    expect(shop.stdout).toContain('Use             jail : shop\n');
    expect(linesOf(shop)).toBe('1 lines, 0 ignored, 1 matched, 0 missed');
    expect(linesOf(await runRegex(['-c', directory, line, 'base']))).toBe(
      '1 lines, 0 ignored, 0 matched, 1 missed',
    );
  });

  it.each([
    ['an expression without address', 'login', /doesn't say whom to ban/, /<HOST>/],
    [
      'a mistyped filter',
      'nginx-prxy',
      /neither a filter nor a jail nginx-prxy/,
      /did you mean nginx-proxy\?/,
    ],
    ['a broken expression', 'login from <HOST>(', /position 17/, /correct the expression/],
    ['broken options', 'nginx-proxy[mode]', /position/, /option=value/],
  ])('refused: %s', async (_, regex, message, fix) => {
    const { exitCode, stderr } = await runRegex([line, regex]);
    expect(exitCode).toBe(255);
    expect(stderr).toMatch(/^ERROR: /);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(fix);
  });
});

describe('what IGNOREREGEX may be', () => {
  it.each(['an expression', 'a filter file'])('%s', async (kind) => {
    const path = file('ignored.conf', filter('failregex = <HOST>\nignoreregex = bad'));
    const result = await runRegex([
      `${line}\n${line.replace('bad', 'odd')}`,
      'login from <HOST>$',
      kind === 'an expression' ? 'bad' : path,
    ]);
    expect(linesOf(result)).toBe('2 lines, 1 ignored, 1 matched, 0 missed');
    expect(result.stdout).toContain(
      'Ignoreregex: 1 total\n|-  #) [# of hits] regular expression\n|   1) [1] bad\n`-',
    );
  });
});

describe('what LOG may be', () => {
  it('a file: comments and empty lines do not count, nor do line ends of any kind', async () => {
    const log = file('log', `# comment\n\n${line}\r\nother\n${line}`);
    const result = await runRegex([log, 'from <HOST>$']);
    expect(result.stdout).toContain(`Use         log file : ${log}\nUse         encoding : UTF-8\n`);
    expect(linesOf(result)).toBe('3 lines, 0 ignored, 2 matched, 1 missed');
  });

  it('a file in another encoding, and one that is not what it is said to be', async () => {
    const latin1 = file(
      'latin1',
      Buffer.from('user Jürgen from 192.0.2.1\nuser Jürgen from 192.0.2.2\n', 'latin1'),
    );
    expect(linesOf(await runRegex(['-e', 'latin1', latin1, '^user J\\wrgen from <HOST>$']))).toMatch(
      /2 matched/,
    );
    expect(linesOf(await runRegex([latin1, '^user J\\wrgen from <HOST>$']))).toMatch(/0 matched, 2 missed/);
    const utf16 = file('utf16', Buffer.from('user x from 192.0.2.1\nuser y from 192.0.2.2\n', 'utf16le'));
    expect(linesOf(await runRegex(['-e', 'utf-16le', utf16, '^user \\w from <HOST>$']))).toMatch(/2 matched/);
  });

  it('a file whose lines and characters are cut at any place by its reader, and one endless line', async () => {
    const many = `${'ä'.repeat(99)} 192.0.2.1\n`.repeat(2000);
    const log = file('log', `${many}${'x'.repeat(3_000_000)} 192.0.2.1\n${many}`);
    expect(linesOf(await runRegex([log, '^ä{99} <HOST>$']))).toBe(
      '4001 lines, 0 ignored, 4000 matched, 1 missed',
    );
  });

  it('a path that leads nowhere is said to be none', async () => {
    expect((await runRegex(['/var/log/no-such.log', '<HOST>'])).stderr).toBe(
      '/var/log/no-such.log is no file; it is tested as a log line\n',
    );
  });

  it('not the journal', async () => {
    const { exitCode, stderr } = await runRegex(['systemd-journal', '<HOST>']);
    expect(exitCode).toBe(255);
    expect(stderr).toMatch(/^ERROR: the systemd journal is not read here\n {2}.*journalctl/);
  });
});

describe('DNS names', () => {
  const log = 'from one.example\nfrom two.example\nfrom one.example';
  const lookup = async (name: string): Promise<string[]> => {
    if (name !== 'one.example') throw new Error('NXDOMAIN');
    return ['192.0.2.1', '2001:db8::1'];
  };

  it('count if they have an address, once for each', async () => {
    const result = await runRegex(['-v', log, '^from <HOST>$'], { lookup });
    expect(linesOf(result)).toBe('3 lines, 0 ignored, 2 matched, 1 missed');
    expect(result.stdout).toMatch(/Failregex: 4 total/);
    expect(result.stdout).toMatch(/ {2}192\.0\.2\.1 .*\n.* {2}2001:db8::1 /);
  });

  it('stand as they are with --raw, and are none with --usedns no', async () => {
    expect((await runRegex(['-r', '-o', 'id', log, '^from <HOST>$'], { lookup })).stdout).toBe(
      'one.example\ntwo.example\none.example\n',
    );
    expect(linesOf(await runRegex(['--usedns', 'no', log, '^from <HOST>$'], { lookup }))).toMatch(
      /0 matched/,
    );
  });
});

describe('output', () => {
  it('lists up to 19 missed lines, of more only how many they are, or all if asked for', async () => {
    const log = (count: number): string => Array.from({ length: count }, (_, i) => `line ${i}`).join('\n');
    expect((await runRegex([log(19), '<ADDR>'])).stdout).toMatch(
      /^\|- Missed line\(s\):\n(?:\| {2}line \d+\n){19}`-$/m,
    );
    expect((await runRegex([log(20), '<ADDR>'])).stdout).toContain(
      'Missed line(s): too many to print.  Use --print-all-missed to print all 20 lines',
    );
    expect((await runRegex(['--print-all-missed', log(50), '<ADDR>'])).stdout).toMatch(
      /(?:\| {2}line \d+\n){50}`-/,
    );
    expect((await runRegex(['--print-no-missed', log(5), '<ADDR>'])).stdout).not.toContain('Missed');
  });

  it('as JSON', async () => {
    const { stdout } = await runRegex(['--json', '-v', `${line}\nother`, '(bad) login from <HOST>$', 'x{3}']);
    expect(JSON.parse(stdout)).toMatchObject({
      filter: 'REGEX',
      lines: { tested: 2, matched: 1, ignored: 0, missed: 1 },
      failregex: [{ regex: '(bad) login from <HOST>$', hits: 1, addresses: [{ id: '192.0.2.1' }] }],
      ignoreregex: [{ regex: 'x{3}', hits: 0 }],
      missed: ['other'],
    });
  });

  it('counts the lines that prefregex matched, and shows what it captured if asked for more', async () => {
    const path = file(
      'prefixed.conf',
      filter('prefregex = ^ box app: <F-CONTENT>.+</F-CONTENT>$\nfailregex = ^bad login from <HOST>$'),
    );
    const log = [line, line.replace('bad', 'good'), line.replace('app', 'web')].join('\n');
    expect((await runRegex([log, path])).stdout).toContain('\nPrefregex: 2 total\n');
    expect((await runRegex([log, path, '-v'])).stdout).toContain("{'content': 'bad login from 192.0.2.1'}");
  });

  it('names searches that were given up', async () => {
    // Lookaround keeps V8's linear engine from taking it.
    const regex = '^(?=(\\w+\\s?)*x)<HOST> !$';
    const started = performance.now();
    const { stderr } = await runRegex([`${'a b '.repeat(8000)}x !`, regex]);
    expect(performance.now() - started).toBeLessThan(2000);
    expect(stderr).toMatch(/^failregex\[0\] was given up 1 times/);
  });
});

describe('options', () => {
  it.each([
    ['nothing to test', ['x'], /ERROR: provide both <LOG> and <REGEX>/],
    ['too much', ['a', 'b', 'c', 'd'], /ERROR: provide both <LOG> and <REGEX>/],
    [
      'none and all',
      ['--print-no-missed', '--print-all-missed', 'x', '<HOST>'],
      /ERROR: --print-no-missed and --print-all-missed are mutually exclusive/,
    ],
    ['a wrong number of lines', ['-L', 'many', 'x', '<HOST>'], /ERROR: --maxlines: invalid count "many"/],
    ['a wrong zone', ['--TZ', 'Mars', 'x', '<HOST>'], /ERROR: --timezone: invalid time zone "Mars"/],
    ['a wrong date pattern', ['-d', '%Q', 'x', '<HOST>'], /ERROR: datepattern %Q/],
    ['an unknown encoding', ['-e', 'klingon', 'x', '<HOST>'], /ERROR: invalid encoding "klingon"/],
  ])('refused with 255: %s', async (_, args, message) => {
    const { exitCode, stderr } = await runRegex(args);
    expect(exitCode).toBe(255);
    expect(stderr).toMatch(message);
  });

  it('unknown ones are wrong usage', async () => {
    await expect(runRegex(['--no-such', 'x', '<HOST>'])).rejects.toMatchObject({ code: 'usage' });
  });

  it('may stand anywhere, abbreviated and together', async () => {
    const { stdout } = await runRegex([line, '-vv', '<HOST>$', '--print-all-mat', '--datep=%b %d %H:%M:%S']);
    expect(stdout).toContain('Use      datepattern : %b %d %H:%M:%S : MON Day 24hour:Minute:Second\n');
    expect(stdout).toContain(`|- Matched line(s):\n|  ${line}\n`);
  });

  it('without effect are said to be', async () => {
    const { exitCode, stderr } = await runRegex(['-D', '-l', 'debug', line, '<HOST>$']);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^--log-level has no effect: .*\n--debuggex has no effect: .*\n$/);
  });

  it('ask for help or the version', async () => {
    expect((await runRegex(['-V'])).stdout).toBe('0.1.0\n');
    const { exitCode, stdout } = await runRegex(['--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Usage: fail2ban-regex \[OPTIONS\] <LOG> <REGEX> \[IGNOREREGEX\]\n/);
  });
});

it.each([65_537, 70_000, 300 * 1024])(
  'a line of %i bytes counts by its end, as in the controller, and by no place where it is cut',
  async (length) => {
    const end = ' from 192.0.2.1';
    const begin = 'Nov 22 13:44:53 box app: bad login ';
    const whole = begin + 'x'.repeat(length - begin.length - end.length) + end;
    const cuts = [65_536, 48 * 1024, 192 * 1024].filter((at) => at < length);
    const forged = cuts.map((at) => `${begin.padEnd(at - 20, 'x')} from 198.51.100.66`.padEnd(length, '7'));
    const log = file('long.log', [whole, ...forged].map((text) => `${text}\n`).join(''));
    const result = await runRegex(['--out', 'ip', log, 'from <HOST>$']);
    expect(result.stdout).toBe('192.0.2.1\n');
  },
);
