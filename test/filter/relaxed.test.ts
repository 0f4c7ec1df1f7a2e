import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { boundBacktracking } from '../../src/filter/backtracking.ts';
import { compileFilter } from '../../src/filter/filter.ts';
import { boundedSearch, ownSearch } from '../../src/filter/python-regex/bounded-search.ts';
import { groupsOf } from '../../src/filter/python-regex/match.ts';
import { parseExpression } from '../../src/filter/python-regex/parser.ts';
import { RelaxedSearcher } from '../../src/filter/python-regex/relaxed.ts';
import { specOf } from './specs.ts';

beforeAll(boundBacktracking);

describe('a text without certain words', () => {
  it.each([
    '^(?P<u>(?:(?! at ).)*?) at (?P<h>\\w+)$',
    '^(?P<u>(?:(?! at ).)*) at (?P<h>\\w+) (?:(?! at ).)*x',
    '(?P<u>(?:(?!aba)[ab])+)(?P<h>ba|)',
    '^(?:x (?P<c>u))?(?P<u>\\S+|(?(c)(?:(?! at ).)*?|[^:]+)) at (?P<h>\\w+)',
    '^(?P<u>(?:(?!at|b ).)*) ?(?P<h>\\w+)$',
    '^(?:(?!ab|b)(?P<u>[ab ]+): ?)?(?P<h>\\w*)',
    '(?P<u>x|(?!aba)\\w*)(?: at)? (?P<h>\\w+)$',
    '(?P<u>[ab ]*?):(?! at|at|x)',
    '^ ?(?:b|(?!ab)(?P<u>\\S+):)(?!at)(?P<h>\\S+)',
  ])('is found as it is by our own engine: %s', (source) => {
    const expression = parseExpression(source);
    const [quick, own] = [boundedSearch(expression, 'ascii'), ownSearch(expression)];
    expect(() => new RelaxedSearcher(expression, 'ascii')).not.toThrow();
    const text = fc.array(fc.constantFrom(' at ', ' at', 'at ', 'a', 'b', ' ', 'aba', 'x u', ':', 't'), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(text, (parts) => {
        const [found, expected] = [quick, own].map((search) => search.search(parts.join('')));
        const shown = (match: typeof found) =>
          typeof match === 'object' ? [match.start, match.end, { ...groupsOf(match) }] : match;
        expect(shown(found)).toEqual(shown(expected));
      }),
      { seed: 20_261_201, numRuns: 2000 },
    );
  });

  it.each([
    '^(?!x*)a*b',
    '(?:a(?!x))?b',
    '(?!ab)(?!b).a',
    '(?:(?!a)b )*',
    '(?:(?=ab).)*',
    '(?:(?!ab)..)*',
    '(?P<x>a)(?P=x)(?:(?!b).)*',
  ])('is no other lookahead: %s', (source) => {
    expect(() => new RelaxedSearcher(parseExpression(source), 'ascii')).toThrow(/linear|lookahead/);
  });
});

describe('to compile a hostile expression takes a bounded time', () => {
  it.each([
    ['counts of counts', '^(?:a{1000}){1000}<HOST>', 'too large'],
    ['counts nested deeply', `${'(?:'.repeat(100)}a${'){8}'.repeat(100)}<HOST>`, 'too large'],
    ['conditionals that double', `^${'(a)?'.repeat(40)}${'(?(1)x|y)'.repeat(40)}<HOST>`, undefined],
    ['thousands of loops', `${'a*b*'.repeat(4000)}<HOST>`, undefined],
    ['thousands of options', `${'a?'.repeat(8000)}<HOST>`, undefined],
  ])('%s', (_, failregex, message) => {
    const before = process.threadCpuUsage();
    const compile = () => compileFilter(specOf(failregex));
    if (message === undefined) compile();
    else expect(compile).toThrow(message);
    const { user, system } = process.threadCpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(2000);
  });
});
