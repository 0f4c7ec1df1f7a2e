import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BlockMatcher } from '../../src/filter/block-matcher.ts';
import { cutMark, mostForeign } from '../../src/filter/lines/cut-text.ts';
import { compileFilter, type Filter } from '../../src/filter/filter.ts';
import type { FilterSpec } from '../../src/filter/spec.ts';
import type { LogLine } from '../../src/sources/log-line.ts';
import { logged, specOf } from './specs.ts';

const now = Date.UTC(2026, 10, 22, 13, 44, 53);
const victim = '192.0.2.66';
const head = (mostForeign * 3) / 4;
const tail = mostForeign / 4;

function ids(spec: FilterSpec, ...lines: readonly (string | { text: string; cut: number })[]): string[] {
  const filter = compileFilter(spec);
  return lines.flatMap((line) => {
    const { text, ...rest } = typeof line === 'string' ? { text: line } : line;
    return filter.process({ ...logged(text), ...rest }, now).map(({ id }) => id);
  });
}

/** As a file's lines are searched. */
function idsInBlock(spec: FilterSpec, ...lines: readonly string[]): string[] {
  const found: string[] = [];
  const neighbour = compileFilter(specOf('neighbour <HOST>'));
  const matcher = new BlockMatcher([neighbour, compileFilter(spec)]);
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  matcher.match(bytes, { now, live: true }, (_, failures) => found.push(...failures.map(({ id }) => id)));
  return found;
}

/** A line in which a text ends where the head does, and another begins where the tail does. */
function cutBetween(before: string, after: string): string {
  return (
    'a'.repeat(head - before.length) + before + 'b'.repeat(5000) + after + 'c'.repeat(tail - after.length)
  );
}

describe('a line of more than 64 KiB, for expressions that are not built in', () => {
  it('keeps its beginning and its end', () => {
    const long = 'a'.repeat(70_000);
    const expression = specOf(['^<HOST> begins', 'ends <HOST>$']);
    const lines = [`192.0.2.1 begins ${long}`, `${long} ends 192.0.2.2`, `${long} 192.0.2.3 begins ${long}`];
    expect(ids(expression, ...lines)).toEqual(['192.0.2.1', '192.0.2.2']);
    expect(idsInBlock(expression, 'x', ...lines, 'y')).toEqual(['192.0.2.1', '192.0.2.2']);
  });

  it.each<[string, string, string, string]>([
    ['its end is none', ' from <HOST>$', ` from ${victim}`, ''],
    ['nor is its beginning', '^from <HOST> c', '', `from ${victim} `],
    ['a word does not end there', `\\b<HOST>\\b`, ` ${victim}`, ''],
    ['an address does not begin there', '<ADDR> c', '', `${victim} `],
    ['nothing is looked for beyond it', ' <HOST> a*(?!.*known)', ` ${victim} aaaa`, ''],
    ['nor before it', '(?<!known )from <HOST> c', '', `from ${victim} `],
    ['nothing goes over it', 'x<ADDR>.*y', `x${victim} `, 'y'],
    ['a greedy part may end beyond', '^.* from <HOST> ', ` from ${victim} aa`, ' from nobody '],
  ])('%s: %s', (_, expression, before, after) => {
    const line = cutBetween(before, after);
    // Of another that it could be the same of.
    expect(ids(specOf(expression), line)).toEqual([]);
    expect(idsInBlock(specOf(expression), line)).toEqual([]);
    // What its source left out.
    const cut = { text: `a${before}${after}c`, cut: 1 + before.length };
    expect(ids(specOf(expression, { builtIn: true }), cut)).toEqual([]);
  });

  it('is ignored by what stands in either part', () => {
    const expression = specOf('^<HOST> ', { ignoreregex: ['friend$'] });
    expect(ids(expression, `192.0.2.1 ${'a'.repeat(70_000)} friend`, '192.0.2.2 a')).toEqual(['192.0.2.2']);
  });

  it('shares its length with the other lines that are looked at together, and is cut among them too', () => {
    const expression = specOf('^user (\\S+)$<SKIPLINES>^.* from <HOST>$', { maxlines: 4 });
    const most = mostForeign / 4;
    expect(ids(expression, 'user a', 'other', `x from 192.0.2.1`)).toEqual(['192.0.2.1']);
    const forged = `${'x'.repeat((most * 3) / 4 - ` from ${victim}`.length)} from ${victim}${'y'.repeat(most)}`;
    expect(ids(expression, 'user a', 'other', forged)).toEqual([]);
  });

  it('has its date in its beginning', () => {
    const expression = specOf('<HOST> z', { datepattern: '^%Y-%m-%d %H:%M:%S' });
    const filter = compileFilter(expression);
    const line = `2026-11-22 13:44:00 192.0.2.1 z ${'a'.repeat(70_000)} 2026-11-22 13:44:44`;
    const at = new Date(2026, 10, 22, 13, 44).getTime();
    const [failure] = filter.process(logged(line), at + 1000);
    expect(failure).toMatchObject({ id: '192.0.2.1', time: at });
    // People see where it was cut.
    expect(failure!.lines[0]).toMatch(/^2026-11-22 13:44:00 192\.0\.2\.1 z a+ … a+ 2026-11-22 13:44:44$/);
    expect(failure!.lines[0]).not.toContain(cutMark);
  });

  it('does not come apart within a character', () => {
    const text = `x192.0.2.1 ${'😀'.repeat(40_000)} ends 192.0.2.2`;
    for (const shift of ['', 'y']) {
      const [failure] = compileFilter(specOf('ends <HOST>$')).process(logged(shift + text), now);
      expect(failure!.id).toBe('192.0.2.2');
      expect(failure!.lines[0]!.isWellFormed()).toBe(true);
    }
  });

  it('shows nothing that the whole line does not', () => {
    const part = fc.constantFrom('a', ' ', ' from ', victim, '192.0.2.', '7', '"', 'user "', '" ', 'known ');
    const parts = fc.array(part, { maxLength: 8 }).map((some) => some.join(''));
    // What is left out can't hold a match of its own, which the whole line might have first.
    const middles = fc.array(fc.constantFrom('a', ' ', '7', '"', '" ', 'known '), { maxLength: 8 });
    const filters = [
      '^a* from <HOST>$',
      '^a[^"]*user "[^"]*" from <HOST>',
      '^.* from <HOST>(?: |$)',
      '^a.*(?<!known )from <HOST>(?! known)',
      '^a.*?\\b<HOST>(?= |"|$)',
      '^a.*(?=from)(?!.*known)from <HOST>\\b',
    ].map((expression) => compileFilter(specOf(expression, { usedns: 'no' })));
    const found = (filter: Filter, line: LogLine): string[] => filter.process(line, now).map(({ id }) => id);
    fc.assert(
      fc.property(parts, middles, parts, fc.constantFrom(...filters), (begin, middle, end, filter) => {
        const text = `a${begin}${middle.join('')}${end}`;
        const whole = found(filter, logged(text));
        const cut = found(filter, { ...logged(`a${begin}${end}`), cut: 1 + begin.length });
        for (const id of cut) expect(whole, text).toContain(id);
      }),
      { seed: 12, numRuns: 20_000 },
    );
  });
});

describe('a built-in expression', () => {
  it('sees a line whole, as its source delivers it', () => {
    const line = `192.0.2.1 ${'a'.repeat(250_000)} 401`;
    expect(ids(specOf('^<HOST> a* 401$', { builtIn: true }), line)).toEqual(['192.0.2.1']);
    expect(idsInBlock(specOf('^<HOST> a* 401$', { builtIn: true }), line)).toEqual(['192.0.2.1']);
  });

  const over = '^<HOST> "[^"]*(?:<CUT>[^"]*)?" 401$';
  const long = { text: '192.0.2.1 "aabb" 401', cut: 13 };

  it('goes over a cut where it says so', () => {
    const filter = compileFilter(specOf(over, { builtIn: true }));
    expect(filter.process({ ...logged(long.text), cut: long.cut }, now)).toMatchObject([
      { id: '192.0.2.1', lines: ['192.0.2.1 "aa … bb" 401'], fields: {} },
    ]);
    expect(ids(specOf(over, { builtIn: true }), long.text)).toEqual(['192.0.2.1']);
    // Cut somewhere else.
    expect(ids(specOf(over, { builtIn: true }), { ...long, cut: 18 }, { ...long, cut: 5 })).toEqual([]);
  });

  it('is the only one that may', () => {
    const sameByUser = '^<HOST> "[^"]*(?:<CUT>[^"]*)?" 401$';
    expect(ids(specOf(sameByUser), { ...long })).toEqual([]);
    expect(ids(specOf('<CUT> <HOST>'), '<CUT> 192.0.2.1')).toEqual(['192.0.2.1']);
  });
});
