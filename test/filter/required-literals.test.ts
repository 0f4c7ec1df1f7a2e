import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PythonPattern, alphabetOf } from '../../src/filter/python-regex/pattern.ts';

describe('required literals', () => {
  it.each([
    ['^.*nginx-proxy.* 404', [['nginx-proxy'], [' 404']]],
    ['(?:Failed|Bad) login', [['Failed', 'Bad'], [' login']]],
    ['(?i)abc \\d+-', [[' '], ['-']]],
    ['a?b*c{2}d|.', []],
    ['(?:abc)?x', [['x']]],
    ['(?:abc)+x', [['abc'], ['x']]],
    ['foo\\nbar', [['foo'], ['bar']]],
    ['(?!no)yes(?=later)', [['yes']]],
    ['(?P<q>")?val(?(q)"|;)', [['val"', 'val;']]],
    ['x" (?:403|404) \\d', [['x" 403', 'x" 404']]],
    ['(?i)x" (?:403|404)', [['" 403', '" 404']]],
    ['a (?:b|cd|)', [['a ']]],
    ['see (?:not \\w|found)(?: at all)', [['see '], ['not ', 'see found'], [' at all']]],
  ])('of %s', (regex, clauses) => {
    expect(new Set(new PythonPattern(regex).requiredLiterals)).toEqual(new Set(clauses));
  });

  it('are part of every match', () => {
    const atom = fc.constantFrom('a', 'b', 'ab', '.', '[ab]', '\\w', '(?=a)', '\\b', 'A', ' ');
    const piece = fc
      .tuple(atom, fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,2}'))
      .map(([a, q]) => (a.length > 1 && q !== '' ? `(?:${a})${q}` : a + q));
    const branch = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join(''));
    const regex = fc
      .tuple(branch, branch, branch, branch, fc.constantFrom('', '?', '+'), fc.constantFrom('', '(?i)'))
      .map(([a, b, c, d, q, flags]) => `${flags}${a}(?:${b}|${c})${q}${d}`);
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'A', 'B', ' '), maxLength: 10 });
    fc.assert(
      fc.property(regex, text, (source, line) => {
        const pattern = new PythonPattern(source);
        const match = pattern.search(line, alphabetOf(line));
        if (!match) return;
        const { start, end } = match;
        for (const clause of pattern.requiredLiterals)
          expect(clause.some((literal) => line.slice(start, end).includes(literal))).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
