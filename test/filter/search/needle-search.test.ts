import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frequencyIn, needlesOf } from '../../../src/filter/search/needle.ts';
import { searchFor } from '../../../src/filter/search/needle-search.ts';

describe('a search for needles', () => {
  it('finds each of them at each place, few or many', () => {
    const unit = fc.constantFrom('a', 'b', 'c', ' ', '\n', 'é');
    const needle = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' '), minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(
        fc.uniqueArray(needle, { minLength: 1, maxLength: 8 }),
        fc.string({ unit, maxLength: 60 }),
        fc.string({ unit, maxLength: 20 }),
        (needles, text, sample) => {
          const bytes = Buffer.from(text);
          const search = searchFor(needles, Buffer.from(sample));
          search.next(Buffer.from(sample), 0);
          search.reset();
          const found: string[] = [];
          for (let at = search.next(bytes, 0); at >= 0; at = search.next(bytes, at + 1))
            found.push(...search.found.map((index) => `${at} ${needles[index]!}`));
          const expected = Array.from({ length: bytes.length }, (_, at) =>
            needles
              .filter((one) => bytes.subarray(at, at + one.length).equals(Buffer.from(one)))
              .map((one) => `${at} ${one}`),
          ).flat();
          expect(found.toSorted()).toEqual(expected.toSorted());
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('what is searched for instead of literals', () => {
  const never = (): number => 0;

  it.each([
    [[['" 404']], [' 404']],
    [[['Failed password for ']], [' password']],
    [[['.example.com', 'nginx-proxy']], ['.example', '-proxy']],
    [[['[] [error']], ['[error']],
    [[['no', 'Failed'], ['größe']], undefined],
    [
      [
        ['no', 'Failed'],
        ['from', 'to the'],
      ],
      ['from', ' the'],
    ],
  ])('%j', (clauses, needles) => {
    expect(needlesOf(clauses, never)).toEqual(needles);
  });

  it('is what is rarest in the log', () => {
    const log = Buffer.from('Accepted password for a from b\nAccepted password for c via d\n');
    expect(needlesOf([['Failed password for '], [' from ', ' over ']], frequencyIn(log))).toEqual(['Failed']);
    expect(needlesOf([['Accepted password'], [' from ', ' over ']], frequencyIn(log))).toEqual([
      ' from',
      ' over',
    ]);
  });

  it('is in the line that a date was cut out of', () => {
    const literal = fc.string({
      unit: fc.constantFrom('a', 'B', '1', '_', ' ', '"', '[', 'ß'),
      maxLength: 12,
    });
    fc.assert(
      fc.property(literal, fc.nat(12), (text, at) => {
        const behind = text.slice(at);
        // Where a date ends, so does a word.
        fc.pre(!/^[\p{L}\p{N}_]/u.test(behind));
        const line = `${text.slice(0, at)}2026-11-22 10:00:00${behind}`;
        for (const needle of needlesOf([[text]], never) ?? []) expect(line).toContain(needle);
      }),
      { numRuns: 2000 },
    );
  });
});
