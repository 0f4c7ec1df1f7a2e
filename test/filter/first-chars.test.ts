import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FirstCharDispatch } from '../../src/filter/search/first-char-dispatch.ts';
import { PythonPattern, alphabetOf } from '../../src/filter/python-regex/pattern.ts';

const charsOf = (source: string): string | undefined =>
  new PythonPattern(source).firstChars?.map((may, code) => (may ? String.fromCharCode(code) : '')).join('');

describe('what a text must begin with', () => {
  it.each([
    ['^Failed', 'F'],
    ['^(?:Failed|Bad) login', 'BF'],
    ['^x?(?:y|z)', 'xyz'],
    ['(?i)^a1', 'Aa'],
    [String.raw`^\s*-`, '\t\n\v\f\r\x1c\x1d\x1e\x1f -'],
    [String.raw`\Ax`, 'x'],
    ['(^a|^b)', 'ab'],
    [
      '^(?!no)[^ -~]',
      Array.from({ length: 128 }, (_, i) => String.fromCharCode(i))
        .filter((c) => c < ' ' || c > '~')
        .join(''),
    ],
  ])('%s', (source, chars) => {
    expect(charsOf(source)).toBe(chars);
  });

  it.each(['Failed', '(?:^a|b)', '^a*', '(?m)^a', '^(?:a|)', String.raw`^(a)?\1`])(
    '%s says nothing',
    (source) => {
      expect(charsOf(source)).toBeUndefined();
    },
  );

  it('never turns away a text that matches', () => {
    const atom = fc.constantFrom(
      'a',
      'b',
      '.',
      '[ab]',
      '[^a]',
      String.raw`\w`,
      String.raw`\S`,
      'é',
      '(?=a)',
      'B',
    );
    const piece = fc
      .tuple(atom, fc.constantFrom('', '*', '+', '?', '{2}'))
      .map(([a, q]) => (a.startsWith('(') ? a : a + q));
    const branch = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(''));
    const source = fc
      .tuple(fc.constantFrom('', '(?i)'), fc.constantFrom('^', '', '(?:^)'), branch, branch, branch)
      .map(([flags, anchor, a, b, c]) => `${flags}${anchor}(?:${a}|${b})${c}`);
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'A', 'B', ' ', 'é', 'É'), maxLength: 6 });
    fc.assert(
      fc.property(source, text, (expression, line) => {
        const pattern = new PythonPattern(expression);
        if (!pattern.search(line, alphabetOf(line))) return;
        expect(new FirstCharDispatch([pattern.firstChars]).of(`${line}\n`)).toEqual([0]);
      }),
      { numRuns: 1000 },
    );
  });
});
