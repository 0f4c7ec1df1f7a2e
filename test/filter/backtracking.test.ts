import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileFilter } from '../../src/filter/filter.ts';
import { ownSearch } from '../../src/filter/python-regex/bounded-search.ts';
import { parseExpression } from '../../src/filter/python-regex/parser.ts';
import { alphabetOf, PythonPattern } from '../../src/filter/python-regex/pattern.ts';
import { quickLength } from '../../src/filter/python-regex/quick-length.ts';
import { specOf } from './specs.ts';

describe('up to what length of a text backtracking is quick', () => {
  it.each([
    ['^abc', Infinity],
    ['^.*abc', 2_000_000],
    ['.*abc', 2000],
    ['^.*a.*b', 2000],
    ['^.*a.*b.*c', 228],
    ['^(?=.*a.*b)x', 2000],
    [String.raw`^\S+ \S+ \S+ \S+$`, 2_000_000],
    [String.raw`^\w+\w+\w+$`, 228],
    [String.raw`^\d+[a-z]+\d+$`, 2_000_000],
    ['^[^"]*"[^"]*"[^"]*$', 2_000_000],
    ['^(?:.*a|.*b)(?:.*c)?.*$', 69],
    ['^(?i:.*ſ[K]+.*k*)', 83],
    ['^a{1,3}a{1,3}b', Infinity],
    ['^(?:[ab]|c)+x', 2_000_000],
    ['^(?:a|aa)+x', 0],
    ['^(?:a|a)+x', 0],
    ['^(?:a?){30}x', 0],
    ['^(?:a+)+x', 0],
    ['(?:a|aa){8}(?:a|aa){8}(?:a|aa){8}x', 0],
    [String.raw`^(?:jan|feb)-\d?\d-(?:\d\d)?\d\d x`, Infinity],
  ])('%s: %i', (source, length) => {
    expect(quickLength(parseExpression(source).root)).toBe(length);
  });
});

describe("a stranger's expression", () => {
  const find = (failregex: string, text: string): string[] => {
    const filter = compileFilter(specOf([failregex]));
    return filter.process({ text, time: 0, dateRemoved: true }, 0).map(({ id }) => id);
  };

  // V8 would need years for the texts that don't match.
  it.each([
    '^(?=.).*y.*y.*y.*y.*y.* from <HOST>$',
    '(?!q).*y.*y.*y.*y.*from <HOST>$',
    '^(?=y)(?:y|yy)+(?:y|yy)+ from <HOST>$',
  ])('is searched at a bounded cost: %s', (failregex) => {
    const text = `${'y'.repeat(900)} from 192.0.2.1`;
    expect(find(failregex, `${text} or not`)).toEqual([]);
    expect(find(failregex, text)).toEqual(['192.0.2.1']);
    expect(find(failregex, 'yyyyyyy from 192.0.2.1')).toEqual(['192.0.2.1']);
  });
});

describe('the edge of a word', () => {
  it('is where Python sees it', () => {
    const source = String.raw`[ab ](?=\b|\W|$)`;
    const own = ownSearch(parseExpression(source));
    const pattern = new PythonPattern(source);
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', ' ', '-', '_', '\n', 'é', '١', '€'),
      maxLength: 8,
    });
    fc.assert(
      fc.property(text, (one) => {
        const expected = own.search(one);
        const found = pattern.search(one, alphabetOf(one));
        expect(found && [found.start, found.end]).toEqual(
          typeof expected === 'object' ? [expected.start, expected.end] : undefined,
        );
      }),
      { numRuns: 3000 },
    );
  });
});
