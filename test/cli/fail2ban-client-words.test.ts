import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shellWords } from '../../src/cli/fail2ban-client/shell-words.ts';

describe('shellWords', () => {
  it.each<[string, string[]]>([
    ['', []],
    ['  \t ', []],
    ['set app  banip\t192.0.2.1 ', ['set', 'app', 'banip', '192.0.2.1']],
    [`echo "two  words" 'and "these"'`, ['echo', 'two  words', 'and "these"']],
    [`a"b"'c'd ""`, ['abcd', '']],
    ['\\ \\"\\a "\\"\\a\\\\" \'\\\'', [' "a', '"\\a\\', '\\']],
    ['# no comment $HOME `x` a;b|c', ['#', 'no', 'comment', '$HOME', '`x`', 'a;b|c']],
  ])('splits %j as shlex.split does', (line, words) => {
    expect(shellWords(line)).toEqual(words);
  });

  it.each([
    ['status "app', 'No closing quotation'],
    ["it's", 'No closing quotation'],
    ['a \\', 'No escaped character'],
    ['"a \\', 'No escaped character'],
  ])('refuses %j', (line, message) => {
    expect(() => shellWords(line)).toThrow(new RangeError(message));
  });

  it('gives back what was quoted', () => {
    const quote = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`;
    const double = (word: string): string => `"${word.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        expect(shellWords(words.map(quote).join(' '))).toEqual(words);
        expect(shellWords(words.map(double).join('\t'))).toEqual(words);
      }),
    );
  });
});
