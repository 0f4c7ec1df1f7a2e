import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedLines } from '../../../src/sources/journal/bounded-lines.ts';
import { type JournalEntry, parseJournalEntry } from '../../../src/sources/journal/entry.ts';
import { journalLine, messageOf } from '../../../src/sources/journal/line.ts';
import { matchArguments, matchFields, MatchIndex } from '../../../src/sources/journal/matches.ts';
import { type LineText, mostLineBytes } from '../../../src/text/long-line.ts';
import { JournalParts } from '../../../src/sources/journal/parts.ts';

const stamps = {
  __CURSOR: 's=1;t=1',
  __REALTIME_TIMESTAMP: '1795354000123456',
  __MONOTONIC_TIMESTAMP: '1000001',
};

function entryOf(fields: Readonly<Record<string, unknown>>): JournalEntry {
  return parseJournalEntry(JSON.stringify({ ...stamps, ...fields }))!;
}

const whole = (text: string): LineText => ({ text, cut: undefined });

function textOf(fields: Readonly<Record<string, unknown>>): string {
  const entry = entryOf(fields);
  return journalLine(entry, whole(messageOf(entry))).line.text;
}

describe('an entry of the journal', () => {
  it.each<[string, Record<string, unknown>, string]>([
    [
      'host, name and process',
      { _HOSTNAME: 'web1', SYSLOG_IDENTIFIER: 'sshd', _PID: '7', MESSAGE: 'hi' },
      'web1 sshd[7]: hi',
    ],
    [
      'SYSLOG_PID before _PID',
      { SYSLOG_IDENTIFIER: 'sshd', SYSLOG_PID: '8', _PID: '7', MESSAGE: 'hi' },
      'sshd[8]: hi',
    ],
    ['_COMM without a name', { _HOSTNAME: 'web1', _COMM: 'sshd', MESSAGE: 'hi' }, 'web1 sshd: hi'],
    ['no name', { _HOSTNAME: 'web1', _PID: '7', MESSAGE: 'hi' }, 'web1 hi'],
    ['nothing', {}, ''],
    [
      'the kernel',
      {
        _HOSTNAME: 'web1',
        SYSLOG_IDENTIFIER: 'kernel',
        _SOURCE_MONOTONIC_TIMESTAMP: '123456789',
        MESSAGE: 'drop',
      },
      'web1 kernel: [  123.456789] drop',
    ],
    ['bytes', { MESSAGE: [27, 91, 51, 49, 109, 195, 164, 255] }, '\u001b[31mä\ufffd'],
    ['several messages', { MESSAGE: ['a', [98], null, 'c'] }, 'a b c'],
    ['null', { SYSLOG_IDENTIFIER: 'x', MESSAGE: null }, 'x: '],
    ['several names', { SYSLOG_IDENTIFIER: ['a', 'b'], MESSAGE: 'x' }, 'a: x'],
    ['newlines', { SYSLOG_IDENTIFIER: 'a', MESSAGE: 'x\nb: y' }, String.raw`a: x\nb: y`],
  ])('as fail2ban shows it: %s', (_name, fields, text) => {
    expect(textOf(fields)).toBe(text);
  });

  it('has the time of its sender, else of the journal', () => {
    const at = (fields: Record<string, unknown>) => journalLine(entryOf(fields), whole('')).line;
    expect(at({})).toMatchObject({ time: 1795354000123, dateRemoved: true });
    expect(at({ _SOURCE_REALTIME_TIMESTAMP: '1795353999000000' }).time).toBe(1795353999000);
    expect(at({ _SOURCE_REALTIME_TIMESTAMP: 'soon' }).time).toBe(1795354000123);
  });

  it('says where the message begins', () => {
    const { line, messageStart } = journalLine(entryOf({ SYSLOG_IDENTIFIER: 'a' }), whole('x'));
    expect(line.text.slice(messageStart)).toBe('x');
  });

  it.each([
    '',
    'null',
    '[]',
    '{',
    '{}',
    '"x"',
    '{"__CURSOR":"a"}',
    '{"__CURSOR":"a","__REALTIME_TIMESTAMP":"x"}',
  ])('is not %j', (text) => {
    expect(parseJournalEntry(text)).toBeUndefined();
  });

  it("is no container's if another than root logged it", () => {
    const fields = { CONTAINER_ID_FULL: 'a', CONTAINER_NAME: 'a', MESSAGE: 'x' };
    expect(entryOf({ ...fields, _UID: '0' }).fields.has('CONTAINER_ID_FULL')).toBe(true);
    for (const user of ['1000', ['0', '1000'], [48, 49]]) {
      const forged = entryOf({ ...fields, _UID: user }).fields;
      expect([...forged.keys()].filter((name) => name.startsWith('CONTAINER_'))).toEqual([]);
      expect(forged.get('MESSAGE')).toEqual(['x']);
    }
  });

  it('never throws, and its text decides neither its container nor its cursor', () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.integer({ min: -5, max: 300 })),
      fc.constant(null),
      fc.array(
        fc.oneof(
          fc.string(),
          fc.constant(null),
          fc.uint8Array().map((bytes) => [...bytes]),
        ),
      ),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(value, value, fc.jsonValue(), (message, name, other) => {
        const entry = entryOf({
          MESSAGE: message,
          SYSLOG_IDENTIFIER: name,
          X: other,
          CONTAINER_ID_FULL: 'mine',
          _UID: '0',
        });
        expect(entry.fields.get('CONTAINER_ID_FULL')).toEqual(['mine']);
        expect(entry.cursor).toBe(stamps.__CURSOR);
        const { line, messageStart } = journalLine(entry, whole(messageOf(entry)));
        expect(line.text).not.toContain('\n');
        expect(messageStart).toBeLessThanOrEqual(line.text.length);
      }),
      { numRuns: 2000 },
    );
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseJournalEntry(text)));
  });
});

describe('matches', () => {
  const sshd = [['_SYSTEMD_UNIT=sshd.service'], ['_COMM=sshd', '_UID=0']];

  it('become one query', () => {
    expect(matchArguments([sshd, [['_COMM=x']], [['_COMM=x']]])).toEqual(
      '_SYSTEMD_UNIT=sshd.service + _COMM=sshd _UID=0 + _COMM=x'.split(' '),
    );
    expect(matchArguments([sshd, []])).toEqual([]);
    expect(matchFields([sshd])).toEqual(['_SYSTEMD_UNIT', '_COMM', '_UID']);
  });

  it('that nothing can meet ask for nothing, not for everything', () => {
    expect(matchArguments([[['--file=/etc/shadow']], [['A=\0']], [[]]])).toBeUndefined();
    expect(matchArguments([[['-M', 'x']], [['A=1']]])).toEqual(['A=1']);
  });

  it.each<[string, readonly (readonly string[])[], Record<string, unknown>, boolean]>([
    ['one of the groups', sshd, { _SYSTEMD_UNIT: 'sshd.service' }, true],
    ['a whole group', sshd, { _COMM: 'sshd', _UID: '0' }, true],
    ['half a group', sshd, { _COMM: 'sshd' }, false],
    ['another value', sshd, { _SYSTEMD_UNIT: 'sshd.service2' }, false],
    ['any value of a field in a group', [['A=1', 'A=2', 'B=1']], { A: '2', B: '1' }, true],
    ['a field with several values', [['A=1']], { A: ['0', '1'] }, true],
    ['no groups', [], {}, true],
    ['an empty value', [['A=']], {}, false],
  ])('are met: %s', (_name, matches, fields, met) => {
    const index = new MatchIndex<string>();
    index.add(matches, 'found');
    index.add([['OTHER=1']], 'other');
    expect([...index.find(entryOf(fields))]).toEqual(met ? ['found'] : []);
  });
});

describe('lines that Docker split', () => {
  const full = (letter: string): string => letter.repeat(16_384);
  const part = (message: string, more: boolean, fields: Record<string, unknown> = {}) =>
    entryOf({
      CONTAINER_ID_FULL: 'a',
      PRIORITY: '6',
      MESSAGE: message,
      ...(more && { CONTAINER_PARTIAL_MESSAGE: 'true' }),
      ...fields,
    });
  /** As newer engines number them. */
  const numbered = (message: string, id: string, ordinal: number, isLast: boolean) =>
    part(message, !isLast, {
      CONTAINER_PARTIAL_ID: id,
      CONTAINER_PARTIAL_ORDINAL: String(ordinal),
      CONTAINER_PARTIAL_LAST: String(isLast),
    });
  const read = (entries: readonly JournalEntry[]): string[] => {
    const parts = new JournalParts();
    return entries.flatMap((entry) => parts.join(entry)?.text ?? []);
  };

  it('are joined, by container and stream', () => {
    expect(
      read([
        part(full('1'), true),
        part('err', false, { PRIORITY: '3' }),
        part('other', false, { CONTAINER_ID_FULL: 'b' }),
        part(full('2'), true),
        part('three', false),
        part('next', false),
      ]),
    ).toEqual(['err', 'other', `${full('1')}${full('2')}three`, 'next']);
  });

  it('end where Docker 18.06 marks the last part too, and where their container ended', () => {
    expect(read([part(full('1'), true), part('two', true), part('next', false)])).toEqual([
      `${full('1')}two`,
      'next',
    ]);
    expect(read([part('without end', true), part('next', false)])).toEqual(['without end', 'next']);
  });

  it('are left out unless all their parts come, wherever reading begins, ends and begins again', () => {
    const entries = [
      part('first', false),
      numbered(full('a'), 'x', 1, false),
      numbered(full('b'), 'x', 2, false),
      numbered('c', 'x', 3, true),
      part('between', false),
      numbered(full('d'), 'y', 1, false),
      numbered('e', 'y', 2, true),
      part('last', false),
    ];
    const lines = ['first', `${full('a')}${full('b')}c`, 'between', `${full('d')}e`, 'last'];
    expect(read(entries)).toEqual(lines);
    for (let from = 0; from <= entries.length; from += 1) {
      for (let to = from; to <= entries.length; to += 1) {
        // What lies between is gone.
        expect(lines).toEqual(
          expect.arrayContaining(read([...entries.slice(0, from), ...entries.slice(to)])),
        );
        expect(lines).toEqual(expect.arrayContaining(read(entries.slice(from, to))));
      }
    }
  });

  it('are what a service prints in more than LineMax, too', () => {
    const printed = (message: string, stream: string, fields: Record<string, unknown> = {}) =>
      entryOf({ MESSAGE: message, _STREAM_ID: stream, ...fields });
    expect(
      read([
        printed('one ', 's', { _LINE_BREAK: 'line-max' }),
        printed('other', 't'),
        printed('two', 's'),
        printed('next', 's'),
      ]),
    ).toEqual(['other', 'one two', 'next']);
  });

  it('are bounded: of a long line beginning and end are kept', () => {
    const parts = new JournalParts();
    for (let i = 0; i < 100; i++) parts.join(part(full(i === 0 ? 'a' : 'x'), true));
    const { text, cut } = parts.join(part('end', false))!;
    expect(text).toHaveLength(mostLineBytes);
    expect([text[0], text.slice(-4), cut]).toEqual(['a', 'xend', (mostLineBytes * 3) / 4]);
    for (let i = 0; i < 201; i++) parts.join(part(full('a'), true, { CONTAINER_ID_FULL: `c${i}` }));
    expect(parts.join(part('b', false, { CONTAINER_ID_FULL: 'c200' }))?.text).toBe(`${full('a')}b`);
    const one = journalLine(entryOf({ SYSLOG_IDENTIFIER: 'i' }), {
      text: 'a\nbcd\ne',
      cut: 3,
    });
    expect(one.line).toMatchObject({ text: String.raw`i: a\nbcd\ne`, cut: 7 });
    expect(one.line.text.slice(0, 7)).toBe(String.raw`i: a\nb`);
  });
});

describe('lines of a stream', () => {
  it('are the same however they are split, and too long ones are passed over', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary', maxLength: 30 })),
        fc.integer({ min: 1, max: 9 }),
        (texts, size) => {
          const lines = texts.map((text) => text.replaceAll('\n', '').toWellFormed());
          const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
          const reader = new BoundedLines(40);
          const read: string[] = [];
          for (let at = 0; at < bytes.length; at += size)
            read.push(...reader.accept(bytes.subarray(at, at + size)));
          const fitting = lines.filter((line) => Buffer.byteLength(line) <= 40);
          expect(read).toEqual(fitting);
          expect(reader.skippedLines).toBe(lines.length - fitting.length);
        },
      ),
    );
  });
});
