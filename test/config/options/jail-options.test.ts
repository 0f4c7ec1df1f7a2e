import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/config/conf/config-error.ts';
import {
  isJailOption,
  jailOptions,
  parseJailOption,
  type JailOption,
} from '../../../src/config/options/jail-options.ts';
import { nearest } from '../../../src/config/options/nearest.ts';

describe('parseJailOption', () => {
  it.each<[JailOption, string, unknown]>([
    ['enabled', 'True', true],
    ['enabled', 'off', false],
    ['maxretry', ' 3 ', 3],
    ['findtime', '10m', 600],
    ['findtime', '1.9', 1],
    ['bantime', '-1', -1],
    ['bantime', '-5m', -1],
    ['bantime', '1w', 604_800],
    ['bantime.maxtime', '', undefined],
    ['bantime.maxtime', '5w', 3_024_000],
    ['bantime.multipliers', '1 2  4', [1, 2, 4]],
    ['bantime.factor', '2.0 / 4', 0.5],
    ['usedns', 'RAW', 'raw'],
    ['ipv6prefix', ' 56 ', 56],
    ['ipv6prefix', '128', 128],
    ['blocktype', 'drop', 'drop'],
    ['blocktype', 'DROP', 'drop'],
    ['blocktype', 'deny', 'drop'],
    ['blocktype', 'reject', 'reject'],
    ['blocktype', 'REJECT --reject-with icmp-port-unreachable', 'reject'],
    ['blocktype', "reject type='icmp-port-unreachable'", 'reject'],
    ['blocktype', 'unreachable', 'reject'],
    ['logencoding', 'auto', undefined],
    ['logencoding', 'latin-1', 'windows-1252'],
    ['logencoding', 'UTF_8', 'utf-8'],
    ['logtimezone', 'UTC+0200', 120],
    ['logtimezone', 'GMT-01:30', -90],
    ['logtimezone', 'Z', 0],
    ['backend', 'systemd[journalflags=1]', 'systemd'],
    ['backend', 'pyinotify', 'auto'],
    ['datepattern', ' ', undefined],
    ['datepattern', '^%Y', '^%Y'],
    ['ignorecommand', '/bin/x <ip> "a b"', ['/bin/x', '<ip>', 'a b']],
    [
      'ignorecache',
      'key="<F-USER>@<ip-host>", max-count=10, max-time=5m',
      { key: '<F-USER>@<ip-host>', maxCount: 10, maxTime: 300 },
    ],
    [
      'ignoreip',
      '192.0.2.1,2001:db8::/32 \n10.0.0.0/255.0.0.0 friend.example.com file:/etc/i.txt',
      {
        prefixes: ['192.0.2.1', '2001:db8::/32', '10.0.0.0/255.0.0.0'],
        names: ['friend.example.com'],
        files: ['/etc/i.txt'],
      },
    ],
    [
      'logpath',
      '/a/*.log tail\n /b c.log\n\n/d head',
      [
        { pattern: '/a/*.log', from: 'tail' },
        { pattern: '/b c.log', from: 'head' },
        { pattern: '/d', from: 'head' },
      ],
    ],
    [
      'journalmatch',
      '_SYSTEMD_UNIT=a.service + _COMM=b "X=c d"\n_COMM=e',
      [['_SYSTEMD_UNIT=a.service'], ['_COMM=b', 'X=c d'], ['_COMM=e']],
    ],
    ['protocol', 'tcp,UDP', ['tcp', 'udp']],
    ['protocol', 'all', ['tcp', 'udp', 'sctp']],
  ])('%s = %j', (option, text, value) => {
    expect(parseJailOption(option, text)).toEqual(value);
  });

  it.each<[JailOption, string, string]>([
    ['enabled', 'maybe', 'invalid value "maybe"'],
    ['maxretry', '0', 'invalid count "0"'],
    ['maxretry', '-1', 'invalid count "-1"'],
    ['maxretry', '1e3', 'invalid count "1e3"'],
    ['findtime', '0', 'invalid duration "0"'],
    ['findtime', 'soon', 'invalid duration "soon"'],
    ['bantime', '0', 'invalid ban time "0"'],
    ['bantime.maxtime', '-1', 'invalid duration "-1"'],
    ['bantime.multipliers', '1 x', 'invalid multiplier "x"'],
    ['bantime.formula', 'open("/etc/passwd")', 'unexpected "\\"" at position 6 of "open(\\"/etc/passwd\\")"'],
    ['bantime.factor', '0', 'invalid factor "0"'],
    ['ipv6prefix', '31', 'invalid IPv6 prefix length "31"'],
    ['ipv6prefix', '129', 'invalid IPv6 prefix length "129"'],
    ['ipv6prefix', '/64', 'invalid IPv6 prefix length "/64"'],
    ['blocktype', 'ACCEPT', '"ACCEPT" would let in the clients that the jail bans'],
    ['blocktype', 'magic', 'invalid blocktype "magic"'],
    ['blocktype', 'rejected', 'invalid blocktype "rejected"'],
    ['usedns', 'maybe', 'invalid value for usedns "maybe"'],
    ['logencoding', 'klingon', 'invalid encoding "klingon"'],
    ['logtimezone', 'Europe/Paris', 'invalid time zone "Europe/Paris"'],
    ['backend', 'magic', 'invalid backend "magic"'],
    ['ignoreip', '192.0.2.256', 'invalid address or network "192.0.2.256"'],
    ['ignoreip', '192.0.2.0/33', 'invalid address or network "192.0.2.0/33"'],
    ['ignoreip', 'file:relative', 'invalid path "file:relative"'],
    ['logpath', 'relative.log', 'invalid path "relative.log"'],
    ['journalmatch', 'sshd', 'invalid journal match "sshd"'],
    ['ignorecommand', '/bin/x "open', 'quote without its end at position 8'],
    ['ignorecache', 'max-count=1', 'key is missing'],
    ['protocol', 'icmp', 'invalid protocol "icmp"'],
  ])('%s = %j is refused with what to do', (option, text, message) => {
    const error = attempt(() => parseJailOption(option, text));
    expect(error).toMatchObject({ message, fix: expect.stringMatching(/\w/) as string });
  });

  it('gives a value or a ConfigError for every option and text', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...Object.keys(jailOptions).filter(isJailOption)),
        fc.string(),
        (option, text) => {
          const outcome = attempt(() => parseJailOption(option, text));
          return !(outcome instanceof Error) || outcome instanceof ConfigError;
        },
      ),
      { numRuns: 3000 },
    );
  });
});

describe('nearest', () => {
  it.each([
    ['maxrety', 'maxretry'],
    ['bantme', 'bantime'],
    ['maxreryt', 'maxretry'],
    ['filtr', 'filter'],
    ['zzz', undefined],
    ['completely-different', undefined],
  ])('%s → %s', (word, meant) => {
    expect(nearest(word, Object.keys(jailOptions))).toBe(meant);
  });
});

function attempt(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
