import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockMatcher } from '../../src/filter/block-matcher.ts';
import { compileFilter, type Filter } from '../../src/filter/filter.ts';
import { SessionMarks } from '../../src/filter/search/session-marks.ts';
import { specOf } from './specs.ts';

const now = Date.UTC(2026, 10, 22, 12, 30);
const options = { findtime: 1e9, clock: () => now };

const sessions = specOf(
  [
    String.raw`^Failed login for <F-USER>\S+</F-USER> from <HOST>$`,
    '^<F-NOFAIL>Hello</F-NOFAIL> from <HOST>$',
    '^Too many failures$',
    '^<F-MLFFORGET><F-MLFGAINED>Accepted</F-MLFGAINED></F-MLFFORGET> login for',
    '^<F-NOFAIL><F-MLFFORGET>Closed</F-MLFFORGET></F-NOFAIL>(?: by <HOST>)?',
  ],
  {
    prefregex: String.raw`^<F-MLFID>\s*\S+ app\[\d+\]:\s+</F-MLFID>(?:error: )?<F-CONTENT>.+</F-CONTENT>$`,
    logTimeZone: 0,
  },
);

const stamp = fc
  .tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom('22 12:29:', '22 12:30:', '23 12:30:', '21 09:00:'))
  .map(([second, rest]) => `Nov ${rest}0${second}`);
const head = fc.oneof(
  { weight: 6, arbitrary: stamp },
  { weight: 2, arbitrary: stamp.map((text) => `${text} 2025`) },
  fc.constantFrom('', '2026-11-22 12:29:01 +01:00', '2026-11-22T12:29:01Z', '12:29:07', 'no date'),
);
const message = fc.oneof(
  fc
    .tuple(fc.constantFrom('ann', 'bob'), fc.constantFrom('192.0.2.1', '192.0.2.2'))
    .map(([user, from]) => `Failed login for ${user} from ${from}`),
  fc.constantFrom(
    'Hello from 192.0.2.3',
    'Too many failures',
    'Accepted login for ann',
    'error: Closed by 192.0.2.4',
    'Closed',
    'Accepted nothing, but Failed login for no one',
    'all is well',
    'é Closed',
  ),
);
const logLine = fc
  .tuple(
    head,
    fc.constantFrom(' ', '  ', ' Z ', ' 2024 '),
    fc.integer({ min: 1, max: 3 }),
    message,
    fc.constantFrom('\n', '\n', '\r\n'),
  )
  .map(([date, gap, id, text, end]) => `${date}${gap}host app[${id}]: ${text}${end}`);

describe('lines that are passed over', () => {
  it('would have done nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.array(logLine, { maxLength: 12 }), { maxLength: 4 }), (blocks) => {
        const thorough = compileFilter(sessions, options);
        const expected = blocks.flat().flatMap((line) => seenBy(thorough, line.replace(/\r?\n$/, '')));
        const found: string[] = [];
        const matcher = new BlockMatcher([compileFilter(sessions, options)]);
        for (const block of blocks)
          matcher.match(Buffer.from(block.join('')), { now, live: true }, (_, failures) =>
            found.push(...failures.map(({ id, time, lines }) => JSON.stringify([id, time, lines]))),
          );
        expect(found).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });
});

function seenBy(filter: Filter, text: string): string[] {
  return filter
    .process({ text, time: undefined, dateRemoved: false }, now)
    .map(({ id, time, lines }) => JSON.stringify([id, time, lines]));
}

describe('the marks of sessions', () => {
  const id = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n'), maxLength: 100 });

  it('miss no id that a text begins with', () => {
    fc.assert(
      fc.property(fc.uniqueArray(id, { maxLength: 20 }), fc.array(fc.nat(19)), (ids, gone) => {
        const marks = new SessionMarks();
        for (const one of ids) marks.add(one);
        const left = new Set(ids);
        for (const one of gone.map((i) => ids[i]))
          if (one !== undefined && left.delete(one)) marks.delete(one);
        for (const one of left)
          expect(marks.mayBeginAt(Buffer.from(`xx${one.replace('\n', '\r\n')}yy`), 2)).toBe(true);
        if (left.size === 0) expect(marks.mayBeginAt(Buffer.from('aaa'), 0)).toBe(false);
      }),
    );
  });

  it('tell what begins otherwise', () => {
    const marks = new SessionMarks();
    marks.add(' host app[12]: ');
    expect(marks.mayBeginAt(Buffer.from('x host app[12]: Closed'), 1)).toBe(true);
    expect(marks.mayBeginAt(Buffer.from('x host app[13]: Closed'), 1)).toBe(false);
    expect(marks.mayBeginAt(Buffer.from('x ho'), 1)).toBe(false);
  });
});
