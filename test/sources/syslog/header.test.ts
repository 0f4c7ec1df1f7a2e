import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SyslogClock } from '../../../src/sources/syslog/clock.ts';
import { readSyslogLines, type SyslogLine } from '../../../src/sources/syslog/follow-syslog-file.ts';
import { isAttributableTag } from '../../../src/config/labels/attributable-tag.ts';
import { findSyslogHeader } from '../../../src/sources/syslog/header.ts';

const now = new Date(2026, 10, 22, 14, 0, 0).getTime();
const local = (...fields: [number, number, number, number, number, number]): number =>
  new Date(...fields).getTime();

function read(text: string, wanted: (program: string) => boolean = () => true): SyslogLine[] {
  return readSyslogLines(text, wanted, new SyslogClock(() => now));
}

function readOne(line: string): SyslogLine {
  const [only, ...more] = read(`${line}\n`);
  expect(more).toEqual([]);
  return only!;
}

describe('a syslog line', () => {
  const at = local(2026, 10, 22, 13, 44, 53);
  it.each([
    ['Nov 22 13:44:53 host tag[12]: msg', 'tag', ' host tag[12]: msg', at],
    ['Nov 22 13:44:53 host tag: msg', 'tag', ' host tag: msg', at],
    ['Nov 22 13:44:53 host tag[12]:', 'tag', ' host tag[12]:', at],
    ['Nov 22 13:44:53 host tag[12]: ', 'tag', ' host tag[12]: ', at],
    ['Nov  2 03:04:05 host tag[12]: msg', 'tag', ' host tag[12]: msg', local(2026, 10, 2, 3, 4, 5)],
    ['<30>Nov 22 13:44:53 host tag[12]: msg', 'tag', '<30> host tag[12]: msg', at],
    ['Nov 22 13:44:53 host docker/web/1f[12]: msg', 'docker/web/1f', ' host docker/web/1f[12]: msg', at],
    ['Nov 22 13:44:53 host x[1][12]: msg', 'x[1]', ' host x[1][12]: msg', at],
    ['Nov 22 13:44:53 host x[]: msg', 'x[]', ' host x[]: msg', at],
    ['Nov 22 13:44:53 host x[a1]: msg', 'x[a1]', ' host x[a1]: msg', at],
    ['Nov 22 13:44:53 2001:db8::1 tag[12]: msg', 'tag', ' 2001:db8::1 tag[12]: msg', at],
    ['Nov 22 13:44:53 host a:b[12]: msg', 'a:b', ' host a:b[12]: msg', at],
    ['Nov 22 13:44:53 host tag[12]: msg\r', 'tag', ' host tag[12]: msg', at],
    ['Nov 22 13:44:53 host täg[12]: mßg', 'täg', ' host täg[12]: mßg', at],
    [
      '2026-11-22T13:44:53.123456+00:00 host tag[12]: msg',
      'tag',
      ' host tag[12]: msg',
      Date.UTC(2026, 10, 22, 13, 44, 53, 123),
    ],
    [
      '2026-11-22T13:44:53.9+02:00 host tag[12]: msg',
      'tag',
      ' host tag[12]: msg',
      Date.UTC(2026, 10, 22, 11, 44, 53, 900),
    ],
    [
      '2026-11-22T13:44:53+0530 host tag[12]: msg',
      'tag',
      ' host tag[12]: msg',
      Date.UTC(2026, 10, 22, 8, 14, 53),
    ],
    ['2026-11-22T13:44:53Z host tag: msg', 'tag', ' host tag: msg', Date.UTC(2026, 10, 22, 13, 44, 53)],
    ['2026-11-22T13:44:53 host tag: msg', 'tag', ' host tag: msg', at],
    [
      '<6>2026-11-22T13:44:53.000001Z host tag: msg',
      'tag',
      '<6> host tag: msg',
      Date.UTC(2026, 10, 22, 13, 44, 53),
    ],
  ])('%j is of %j', (line, program, text, time) => {
    const parsed = readOne(line);
    expect(parsed).toMatchObject({ program, line: { text, time, dateRemoved: true } });
    // Whatever stands before it, the message is what follows the tag.
    expect(text.slice(parsed.messageStart)).toBe(/: ?([^:]*)$/.exec(text)![1]);
  });

  it.each([
    '',
    ' ',
    'Nov 22 13:44:53',
    'Nov 22 13:44:53 ',
    'Nov 22 13:44:53 host',
    'Nov 22 13:44:53 host ',
    'Nov 22 13:44:53 host msg without a tag: this',
    'Nov 22 13:44:53 host last message repeated 2 times',
    // An empty tag: what follows is text, whatever it looks like.
    'Nov 22 13:44:53 host  nginx-proxy[12]: msg',
    'Nov 22 13:44:53  nginx-proxy[12]: msg',
    'Nov 22 13:44:53 nginx-proxy[12]: msg',
    'Nov 22 13:44:53 host my app[12]: msg',
    'Foo 22 13:44:53 host tag[12]: msg',
    'Nov 31 13:44:53 host tag[12]: msg',
    'Nov 22 24:44:53 host tag[12]: msg',
    'Nov 2  13:44:53 host tag[12]: msg',
    '2026-13-22T13:44:53Z host tag[12]: msg',
    '2026-11-22 13:44:53 host tag[12]: msg',
    '2026-11-22T13:44:53Zebra host tag[12]: msg',
    '<30 Nov 22 13:44:53 host tag[12]: msg',
    '<>Nov 22 13:44:53 host tag[12]: msg',
    '<12345>Nov 22 13:44:53 host tag[12]: msg',
    'prefix Nov 22 13:44:53 host tag[12]: msg',
    '{"log":"x"}',
  ])('%j has no header that can be read', (line) => {
    expect(readOne(line)).toEqual({
      program: undefined,
      line: { text: line, time: undefined, dateRemoved: false },
      messageStart: 0,
    });
  });

  it('names where its message begins', () => {
    const line = 'Nov 22 13:44:53 host tag[12]: the message';
    expect(line.slice(findSyslogHeader(line, 0, line.length)!.messageStart)).toBe('the message');
  });

  it('of another program is passed over', () => {
    const text = ['a[1]: 1', 'b[1]: 2', 'a[1]: 3'].map((rest) => `Nov 22 13:44:53 host ${rest}\n`).join('');
    expect(read(text, (program) => program === 'a').map(({ line }) => line.text)).toEqual([
      ' host a[1]: 1',
      ' host a[1]: 3',
    ]);
  });

  it('never takes anything from the line after it', () => {
    const next = 'Nov 22 13:44:53 host nginx-proxy[1]: msg\n';
    for (const start of [
      'x',
      'Nov 22',
      'Nov 22 13:44:53',
      'Nov 22 13:44:53 host',
      'Nov 22 13:44:53 host ',
      '<30>',
      '2026-11-22T13:44:53',
    ]) {
      expect(read(`${start}\n${next}`).map(({ program }) => program)).toEqual([undefined, 'nginx-proxy']);
    }
  });
});

describe('the year of a traditional timestamp', () => {
  const year = (stamp: string, at: number): number =>
    new Date(new SyslogClock(() => at).read(stamp)!).getFullYear();

  it('is this one, or the last if the date is more than a day ahead', () => {
    expect(year('Nov 22 13:00:00', now)).toBe(2026);
    expect(year('Nov 23 13:59:59', now)).toBe(2026);
    expect(year('Nov 23 14:00:01', now)).toBe(2025);
    expect(year('Dec 31 23:59:59', local(2027, 0, 1, 0, 0, 5))).toBe(2026);
  });

  it('is one that has a 29 February', () => {
    expect(year('Feb 29 12:00:00', local(2028, 2, 1, 0, 0, 0))).toBe(2028);
    expect(new SyslogClock(() => local(2026, 2, 1, 0, 0, 0)).read('Feb 29 12:00:00')).toBeUndefined();
  });
});

describe('attribution', () => {
  const tag = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).filter(isAttributableTag);
  const message = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      'nginx-proxy[1]: 198.51.100.1',
      ' nginx-proxy[1]: x',
      ': nginx-proxy: x',
      ']: x',
      'Nov 22 13:44:53 host nginx-proxy[1]: x',
      '\rNov 22 13:44:53 host nginx-proxy[1]: x',
    ),
  );
  const oneLine = message.map((text) => text.replaceAll('\n', '#012'));
  const stamp = fc.constantFrom('Nov 22 13:44:53', 'Nov  2 13:44:53', '2026-11-22T13:44:53.123456+00:00');

  it('is the tag, whatever the message', () => {
    fc.assert(
      fc.property(tag, oneLine, stamp, fc.nat(99_999), (name, text, date, pid) => {
        const line = `${date} host ${name}[${pid}]: ${text}`;
        expect(readOne(line).program).toBe(name);
      }),
      { numRuns: 2000 },
    );
  });

  it('never throws, whatever the text, and loses no line', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '\n',
        ' ',
        ':',
        '[1]:',
        'Nov 22 13:44:53',
        '2026-11-22T13:44:53Z',
        '<30>',
        'host',
        'tag',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = `${pieces.join('')}\n`;
        expect(read(text)).toHaveLength(text.split('\n').length - 1);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['nginx-proxy', true],
    ['docker/web/0123456789ab', true],
    ['x[1]', true],
    ['täg', true],
    ['', false],
    ['my app', false],
    [' app', false],
    ['nginx:1.27', false],
    ['app:', false],
    ['a\tb', false],
    ['a\u0000b', false],
    ['a\u0085b', false],
    ['x'.repeat(490), true],
    ['x'.repeat(491), false],
    ['ä'.repeat(250), false],
  ])('of the tag %j is possible: %j', (name, possible) => {
    expect(isAttributableTag(name)).toBe(possible);
  });
});
