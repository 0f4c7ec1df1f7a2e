import fc from 'fast-check';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { Dock2banError } from '../../src/errors.ts';
import { boundBacktracking } from '../../src/filter/backtracking.ts';
import type { Failure } from '../../src/filter/failure.ts';
import { compileFilter, type Filter } from '../../src/filter/filter.ts';
import { dated, logged, specOf } from './specs.ts';

const now = Date.UTC(2026, 10, 22, 13, 44, 53);
const seed = String.raw`^.*nginx-proxy.*\.example\.com\s<HOST>\s-\s-\s.*HTTP/.*" 404`;
const request = (address: string, status = 404): string =>
  ` host nginx-proxy[12]: app.example.com ${address} - - [22/Nov/2026:13:44:53 +0000] "GET /x HTTP/1.1" ${status} 153 "-" "curl"`;

function ids(filter: Filter, ...texts: string[]): string[] {
  return texts.flatMap((text) => filter.process(dated(text, now), now).map(({ id }) => id));
}

beforeAll(boundBacktracking);

describe('a failregex', () => {
  it('finds the address of a failure, with its time, its line and its captures', () => {
    const [failure] = compileFilter(specOf(seed)).process(dated(request('198.51.100.66'), now - 5000), now);
    expect(failure).toEqual({
      id: '198.51.100.66',
      time: now - 5000,
      attempts: 1,
      lines: [request('198.51.100.66')],
      fields: { ip4: '198.51.100.66' },
    });
  });

  it.each([
    ['2001:DB8:0::1', '2001:db8::1'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['[2001:db8::2]', '2001:db8::2'],
  ])('gives %s in its canonical form', (written, id) => {
    expect(ids(compileFilter(specOf(seed)), request(written))).toEqual([id]);
  });

  it('is silent about other lines', () => {
    const filter = compileFilter(specOf(seed));
    expect(ids(filter, request('192.0.2.1', 200), 'nginx-proxy', '', request('nobody'))).toEqual([]);
  });

  it('counts once, by the first expression that matches', () => {
    const filter = compileFilter(specOf(['^a <HOST>', '^. <HOST>', '<HOST>']));
    expect(ids(filter, 'a 192.0.2.1', 'b 192.0.2.2')).toEqual(['192.0.2.1', '192.0.2.2']);
  });

  it('yields to ignoreregex', () => {
    const filter = compileFilter(specOf('^fail <HOST>', { ignoreregex: ['192\\.0\\.2\\.1$'] }));
    expect(ids(filter, 'fail 192.0.2.1', 'fail 192.0.2.2')).toEqual(['192.0.2.2']);
  });

  it('sees what prefregex marks as content, and has its captures', () => {
    const spec = specOf('^<F-USER>\\w+</F-USER> failed$', {
      prefregex: '^srv: <ADDR> <F-CONTENT>.+</F-CONTENT> end$',
    });
    const [failure] = compileFilter(spec).process(dated('srv: 192.0.2.1 joe failed end', now), now);
    expect(failure).toMatchObject({ id: '192.0.2.1', fields: { user: 'joe' } });
    expect(ids(compileFilter(spec), 'joe failed end', 'srv: 192.0.2.1 joe failed')).toEqual([]);
  });

  it('may see several lines', () => {
    const spec = specOf('^start (?P<n>\\d+)<SKIPLINES>end (?P=n) <HOST>$', { maxlines: 4 });
    const filter = compileFilter(spec);
    expect(ids(filter, 'start 1', 'noise', 'start 2', 'end 1 192.0.2.1')).toEqual(['192.0.2.1']);
    expect(ids(filter, 'end 2 192.0.2.2')).toEqual(['192.0.2.2']);
    expect(ids(filter, 'start 3', 'a', 'b', 'c', 'end 3 192.0.2.3')).toEqual([]);
  });
});

describe('whom a failure concerns', () => {
  it.each([
    ['an identifier', '<F-ID>\\S+</F-ID> from <ADDR>', 'joe from 192.0.2.1', 'joe'],
    ['several parts', '<F-ID>\\S+</F-ID> on <F-TUPLE_ID>\\w+</F-TUPLE_ID>', 'joe on tty', "('joe', 'tty')"],
    [
      'an alternative',
      '^(?:x=<F-ALT_ID_1>\\w+</F-ALT_ID_1>|y=<F-ALT_ID_2>\\w+</F-ALT_ID_2>)<F-ID></F-ID>',
      'y=joe',
      'joe',
    ],
    ['a prefix', 'net <SUBNET>', 'net 192.0.2.77/24', '192.0.2.0/24'],
    ['an IPv6 prefix', 'net <ADDR>/<CIDR>', 'net 2001:db8:1:2::7/33', '2001:db8::/33'],
    ['a single address with its prefix length', 'net <SUBNET>', 'net 192.0.2.77/32', '192.0.2.77'],
    ['only IPv6', 'from <IP6>', 'from 2001:db8::1', '2001:db8::1'],
  ])('may be %s', (_, regex, text, id) => {
    expect(ids(compileFilter(specOf(regex)), text)).toEqual([id]);
  });

  it('is passed over if it is a name that nobody resolves, taken as it is with usedns=raw', () => {
    expect(ids(compileFilter(specOf('from <HOST>$')), 'from bad.example')).toEqual([]);
    expect(ids(compileFilter(specOf('from <HOST>$', { usedns: 'raw' })), 'from bad.example')).toEqual([
      'bad.example',
    ]);
    expect(ids(compileFilter(specOf('from <HOST>', { usedns: 'no' })), 'from bad.example')).toEqual([]);
  });

  it('is every address of a name, those known at once and those known later', () => {
    let answer: ((addresses: readonly string[]) => void) | undefined;
    const lookup = vi.fn((name: string, later: (addresses: readonly string[]) => void) => {
      if (name === 'known.example') return ['192.0.2.1', '2001:db8::1'];
      answer = later;
      return undefined;
    });
    const late: Failure[] = [];
    const filter = compileFilter(specOf('from <HOST>$'), {
      resolver: { lookup },
      onResolved: (failures) => late.push(...failures),
    });
    expect(ids(filter, 'from known.example', 'from slow.example')).toEqual(['192.0.2.1', '2001:db8::1']);
    answer?.(['192.0.2.2']);
    expect(late).toMatchObject([{ id: '192.0.2.2', time: now, lines: ['from slow.example'] }]);
  });
});

describe('the lines of a session', () => {
  const spec = specOf([
    '^<F-MLFID>c\\d+</F-MLFID> <F-NOFAIL>connect</F-NOFAIL> <HOST>$',
    '^<F-MLFID>c\\d+</F-MLFID> failed <F-USER>\\w+</F-USER>$',
    '^<F-MLFID>c\\d+</F-MLFID> <F-MLFGAINED>welcome</F-MLFGAINED> <F-USER>\\w+</F-USER>$',
    '^<F-MLFID>c\\d+</F-MLFID> <F-MLFFORGET>closed</F-MLFFORGET>$',
  ]);

  it('share the address, and are all shown', () => {
    const filter = compileFilter(spec);
    filter.process(dated('c1 connect 192.0.2.1', now), now);
    filter.process(dated('c2 connect 192.0.2.2', now), now);
    const [failure] = filter.process(dated('c1 failed joe', now), now);
    expect(failure).toMatchObject({
      id: '192.0.2.1',
      fields: { user: 'joe' },
      lines: ['c1 connect 192.0.2.1', 'c1 failed joe'],
    });
  });

  it('end with the session', () => {
    const filter = compileFilter(spec);
    expect(ids(filter, 'c1 connect 192.0.2.1', 'c1 closed', 'c1 failed joe')).toEqual(['192.0.2.1']);
    expect(filter.process(dated('c1 failed joe', now), now)).toEqual([]);
  });

  it('are no failures after a login, unless it was another user’s', () => {
    expect(ids(compileFilter(spec), 'c1 connect 192.0.2.1', 'c1 welcome joe')).toEqual([]);
    expect(ids(compileFilter(spec), 'c1 failed ann', 'c1 welcome joe', 'c1 connect 192.0.2.1')).toEqual([
      '192.0.2.1',
    ]);
  });

  it('are forgotten after five minutes, and beyond a hundred sessions', () => {
    const late = compileFilter(spec);
    late.process(dated('c1 connect 192.0.2.1', now), now);
    expect(late.process(dated('c1 failed joe', now), now + 300_001)).toEqual([]);
    const crowded = compileFilter(spec);
    for (let i = 1; i <= 101; i += 1) crowded.process(dated(`c${i} connect 192.0.2.${i}`, now), now);
    expect(ids(crowded, 'c1 failed joe', 'c101 failed joe')).toEqual(['192.0.2.101']);
  });
});

describe('the time of a line', () => {
  const times = (filter: Filter, ...texts: string[]): number[] =>
    texts.flatMap((text) => filter.process(logged(text), now).map(({ time }) => time));

  it('is its date, which failregex doesn’t see', () => {
    const filter = compileFilter(specOf('^ host <HOST>$'));
    expect(times(filter, '2026-11-22T13:44:50Z host 192.0.2.1')).toEqual([now - 3000]);
  });

  it('is that of the line before, if that is less than a minute old, else now', () => {
    const filter = compileFilter(specOf('^(?: |)fail <HOST>$'));
    expect(times(filter, 'fail 192.0.2.1')).toEqual([now]);
    expect(times(filter, '2026-11-22T13:44:20Z innocent', 'fail 192.0.2.1')).toEqual([now - 33_000]);
    expect(filter.process(logged('fail 192.0.2.1'), now + 30_000)[0]?.time).toBe(now + 30_000);
  });

  it('is now, where a live line’s date is more than a minute off', () => {
    const filter = compileFilter(specOf('host <HOST>$'));
    expect(
      times(filter, '2026-11-22T13:42:00Z host 192.0.2.1', '2026-11-22T15:44:53Z host 192.0.2.1'),
    ).toEqual([now, now]);
    expect(filter.process(dated('host 192.0.2.1', now - 62_000), now)[0]?.time).toBe(now);
  });

  it('stands before the start, where lines older than findtime don’t count', () => {
    const filter = compileFilter(specOf('host <HOST>$'), { findtime: 300 });
    const past = (text: string): number[] => filter.process(logged(text), now, false).map(({ time }) => time);
    expect(past('2026-11-22T13:40:53Z host 192.0.2.1')).toEqual([now - 240_000]);
    expect(past('2026-11-22T13:39:00Z host 192.0.2.1')).toEqual([]);
  });

  it('is what the source knows, even if a date must be cut out', () => {
    const filter = compileFilter(specOf('^<HOST> - \\[\\] x$'));
    const line = { text: '192.0.2.1 - [22/Nov/2026:10:00:00 +0000] x', time: now - 1000, dateRemoved: false };
    expect(filter.process(line, now)).toMatchObject([{ id: '192.0.2.1', time: now - 1000 }]);
  });

  it('is in the zone of the log', () => {
    const filter = compileFilter(specOf('host <HOST>$', { logTimeZone: -120 }));
    expect(times(filter, '2026-11-22 11:44:50 host 192.0.2.1')).toEqual([now - 3000]);
  });
});

describe('an expression that costs too much', () => {
  it('is given up on that line and reported; the others go on', () => {
    const reports: unknown[] = [];
    const filter = compileFilter(specOf(['^(?P<x>a*)*(?P=x)+b <HOST>', '<HOST> z$'], { name: 'costly' }), {
      onExceeded: (report) => reports.push(report),
    });
    const text = `${'a'.repeat(3000)}c b 192.0.2.1 z`;
    expect(ids(filter, text)).toEqual(['192.0.2.1']);
    expect(reports).toEqual([
      { filter: 'costly', kind: 'search', expression: 'failregex[0]', length: text.length + 1 },
    ]);
  });

  it('is found out by its form, however short the line', () => {
    const filter = compileFilter(specOf('^(?!x)(?:(?:a|a)+)+b <HOST>'));
    expect(ids(filter, `${'a'.repeat(40)} b 192.0.2.1`, `${'a'.repeat(40)}b 192.0.2.1`)).toEqual([
      '192.0.2.1',
    ]);
  });
});

describe('what can’t be used', () => {
  it.each([
    [specOf('<HOST> [a'), /failregex\[0\] of filter test .*unterminated character set: \[a at position 7/],
    [specOf(['<HOST>', 'x(?P<y>']), /failregex\[1\] of filter test .* position 1 /],
    [
      specOf('<HOST>', { ignoreregex: ['a', '+'] }),
      /ignoreregex\[1\] of filter test .*nothing to repeat: \+ at position 0/,
    ],
    [specOf('<HOST>', { prefregex: '(' }), /prefregex of filter test/],
    [specOf('(?:(?P<d>x)|y)*+(?(d)b|c)<HOST>'), /can't be followed.*\(\?\(…\)…\|…\)/],
    [specOf('no id'), /failregex\[0\] of filter test doesn't say whom to ban/],
    [specOf('  '), /is empty/],
    [specOf('<HOST>', { datepattern: '%Q' }), /datepattern %Q has a % that introduces no strptime code/],
    [specOf('<HOST>', { datepattern: '(%Y' }), /datepattern \(%Y can't be used/],
  ])('is one error that says where and what', (spec, message) => {
    expect(() => compileFilter(spec)).toThrow(message);
    expect(() => compileFilter(spec)).toThrow(Dock2banError);
  });

  it('never is another error, whatever is written', () => {
    const piece = fc.oneof(
      fc.string({ maxLength: 6 }),
      fc.constantFrom(
        '<HOST>',
        '<F-USER>',
        '</F-USER>',
        '(?P<a>',
        '(?(a)',
        '(?P=a)',
        '(?i)',
        '(?<=',
        ')',
        '|',
        '[',
        ']',
        '{3,',
        '}',
        '*',
        '%Y',
        '{DATE}',
        '\\',
        '(?:',
      ),
    );
    const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, text, fc.string({ maxLength: 40 }), (regex, datepattern, line) => {
        try {
          const filter = compileFilter(specOf(`${regex}<HOST>`, { datepattern }));
          filter.process(logged(line), now);
          filter.process(logged(`é${line}`), now);
        } catch (error) {
          expect(error).toBeInstanceOf(Dock2banError);
        }
      }),
      { numRuns: 500 },
    );
  }, 60_000);
});
