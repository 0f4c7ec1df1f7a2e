import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ExceededReport } from '../../src/filter/filter-options.ts';
import { compileFilter } from '../../src/filter/filter.ts';
import { specOf } from './specs.ts';

const now = Date.UTC(2026, 10, 22, 12, 30, 20);

function timeIn(filter: ReturnType<typeof compileFilter>, text: string): number | undefined {
  const line = { text: `${text} bad login from 192.0.2.1`, time: undefined, dateRemoved: false };
  return filter.process(line, now, false)[0]?.time;
}

describe('the date of a line', () => {
  const two = (n: number): string => String(n).padStart(2, '0');
  const clock = fc
    .tuple(fc.constantFrom(11, 12, 13), fc.constantFrom(15, 29, 30, 31), fc.nat(61))
    .map(([hour, minute, second]) => `${hour}:${two(minute)}:${two(second)}`);
  const form = fc.constantFrom(
    'Nov 22 <>',
    'Nov 23 <>',
    '2026-11-22 <>',
    '2026-11-22T<>+01:00',
    '2026-11-22T<>Z',
    '22/Nov/2026:<> +0530',
    '<>',
    'Nov 22 <>.25',
    'Nov 22 <> 2025',
  );

  it.each([0, 345, undefined])('is the same whatever was read before it (%s)', (logTimeZone) => {
    const spec = specOf(['bad login from <HOST>$'], {
      ...(logTimeZone === undefined ? {} : { logTimeZone }),
      datepattern: '{^LN-BEG}',
    });
    const make = (): ReturnType<typeof compileFilter> =>
      compileFilter(spec, { findtime: 1e9, clock: () => now });
    const alone = new Map<string, number | undefined>();
    fc.assert(
      fc.property(form, fc.array(clock, { minLength: 2, maxLength: 12 }), (date, clocks) => {
        const filter = make();
        for (const one of clocks) {
          const text = date.replace('<>', one);
          const time = timeIn(filter, text);
          // What a line without a date gets depends on the lines before.
          if (one.endsWith(':60') || one.endsWith(':61')) return;
          if (!alone.has(text)) alone.set(text, timeIn(make(), text));
          expect(time, text).toBe(alone.get(text));
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a datepattern', () => {
  function exceeded(datepattern: string, text: string): { reports: ExceededReport[]; found: string[] } {
    const reports: ExceededReport[] = [];
    const spec = specOf(['from <HOST>'], { datepattern, logTimeZone: 0 });
    const filter = compileFilter(spec, { onExceeded: (report) => reports.push(report), clock: () => now });
    const failures = filter.process({ text, time: undefined, dateRemoved: false }, now);
    return { reports, found: failures.map(({ id, time }) => `${id} ${(time - now) / 1000}`) };
  }

  it.each([
    String.raw`^(?=.).*y.*y.*y.*y.*y%Y$`,
    String.raw`(?P<a>y*)*(?P=a)x%Y`,
    String.raw`(?=(y+)+x).*{DATE}`,
    String.raw`(\w+\s*)*=%Y`,
  ])('that backtracks without end is given up, reported, and the line is undated: %s', (pattern) => {
    const long = `${'y'.repeat(60_000)} from 192.0.2.1`;
    expect(exceeded(pattern, long)).toEqual({
      reports: [{ filter: 'test', kind: 'search', expression: 'datepattern', length: long.length + 1 }],
      found: ['192.0.2.1 0'],
    });
    // Short lines are where backtracking would take years.
    expect(exceeded(pattern, `${'y'.repeat(900)} from 192.0.2.1`).found).toEqual(['192.0.2.1 0']);
  });

  it.each(['at %Y-%m-%d %H:%M:%S', String.raw`.*at %Y-%m-%d %H:%M:%S`, String.raw`(?:\w+ )+at {DATE}`])(
    'is found in long lines all the same: %s',
    (pattern) => {
      for (const length of [10, 900, 3000]) {
        const text = `${'abc '.repeat(length / 4)}at 2026-11-22 12:30:10 from 192.0.2.1`;
        expect(exceeded(pattern, text)).toEqual({ reports: [], found: ['192.0.2.1 -10'] });
      }
    },
  );
});
