import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkSettings } from '../../../src/cli/check/settings.ts';
import { parseConfFile } from '../../../src/config/conf/conf-file.ts';

const server = " (it is for fail2ban's server only)";

function found(files: Readonly<Record<string, string>>): string[] {
  const user = Object.entries(files).map(
    ([path, text]) => [path, parseConfFile(text, `/etc/fail2ban/${path}`)] as const,
  );
  return checkSettings({
    configDir: '/etc/fail2ban',
    user: new Map(user),
    builtin: new Map(),
    problems: [],
  }).map(({ severity, where, message, fix }) => `${severity}: ${where}: ${message} (${fix})`);
}

const stock = `[DEFAULT]
loglevel = INFO
logtarget = /var/log/fail2ban.log
syslogsocket = auto
socket = /var/run/fail2ban/fail2ban.sock
pidfile = /var/run/fail2ban/fail2ban.pid
dbfile = /var/lib/fail2ban/fail2ban.sqlite3
dbpurgeage = 1d
dbmaxmatches = 10
[Definition]
[Thread]
#stacksize = 0
`;

describe('checkSettings', () => {
  it.each([
    {},
    { 'fail2ban.conf': stock },
    {
      'fail2ban.conf': stock,
      'fail2ban.local':
        '[Definition]\nloglevel = heavydebug\nlogtarget = SYSLOG[facility=x]\ndbfile = None\nallowipv6 = auto\n[Thread]\nstacksize = 128\n',
    },
    {
      'fail2ban.local': '[Definition]\nbase = /srv\ndbfile = %(base)s/f2b.sqlite3\nsyslogsocket = /dev/log\n',
    },
  ])('finds nothing wrong with what is right: %j', (files) => {
    expect(found(files)).toEqual([]);
  });

  it.each([
    [
      'dbpurgeage = soon',
      /^error: .*:2: dbpurgeage: invalid duration "soon"; fail2ban's default is used instead/,
    ],
    ['dbpurgeage = %(x)s', /^error: .*:2: dbpurgeage.*which nothing defines/],
    ['dbpurgeage 1d', /^error: .*:2: "dbpurgeage 1d" is neither "option = value" nor a continuation/],
    ['dbfile = f2b.sqlite3', /^notice: .*:2: dbfile: "f2b\.sqlite3" is no absolute path/],
    [
      'dbfile = %(x)s',
      /^notice: .*:2: dbfile of \[Definition\]: it refers to %\(x\)s, which nothing defines/,
    ],
    ['dbmaxmatches = ten', /^notice: .*:2: dbmaxmatches: "ten" is no whole number/],
    ['loglevel = LOUD', /^notice: .*:2: loglevel: "LOUD" is no log level .*use one of CRITICAL/],
    ['logtarget = nowhere', /^notice: .*:2: logtarget: "nowhere" is no absolute path/],
    ['syslogsocket =', /^notice: .*:2: syslogsocket: "" is no absolute path/],
    ['allowipv6 = maybe', /^notice: .*:2: allowipv6: "maybe" is no choice/],
    ['dbpurgage = 1d', /^notice: .*:2: nothing uses the option dbpurgage \(did you mean dbpurgeage\?\)$/],
  ])('names the place of %j', (line, finding) => {
    const all = found({ 'fail2ban.conf': stock, 'fail2ban.local': `[Definition]\n${line}\n` });
    expect(all).toEqual([expect.stringMatching(finding)]);
    expect(all[0]).toContain('/etc/fail2ban/fail2ban.local:2: ');
  });

  it('looks at each layer, and says whose option is out of place', () => {
    expect(
      found({
        'fail2ban.conf': '[DEFAULT]\nloglevel = LOUD\n[Defintion]\ndbpurgeage = 1w\n',
        'fail2ban.d/a.conf': '[Thread]\nstacksize = much\n',
        'fail2ban.d/b.local': 'dbfile = /x\n',
      }),
    ).toEqual([
      expect.stringMatching(/^error: \/etc\/fail2ban\/fail2ban\.d\/b\.local:1: .* before the first section/),
      expect.stringContaining(
        `notice: /etc/fail2ban/fail2ban.conf:2: loglevel: "LOUD" is no log level${server}`,
      ),
      expect.stringContaining('notice: /etc/fail2ban/fail2ban.d/a.conf:2: stacksize: "much"'),
      'notice: /etc/fail2ban/fail2ban.conf:4: nothing reads the section [Defintion] (did you mean [Definition]?)',
    ]);
  });

  it('throws nothing, whatever stands there', () => {
    const word = fc.constantFrom(
      'dbfile',
      'loglevel',
      '=',
      '%(',
      ')s',
      '[Definition]',
      '\n',
      '\n ',
      '%',
      '[',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string())), (parts) => {
        const text = `[Definition]\n${parts.join('')}`;
        for (const line of found({ 'fail2ban.conf': text }))
          expect(line).toMatch(/^(?:error|notice): \/etc\/fail2ban\/fail2ban\.conf:\d+: /);
      }),
    );
  });
});
