import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfFile } from '../../../src/config/conf/conf-file.ts';

const parse = (text: string) => parseConfFile(text, '/etc/x.conf');

const values = (text: string, section = 'a') =>
  Object.fromEntries(
    [...(parse(text).sections.get(section) ?? [])].map(([name, { value }]) => [name, value]),
  );

const problems = (text: string) => parse(text).problems.map(({ where, message }) => `${where} ${message}`);

describe('parseConfFile', () => {
  it.each([
    ['= and :', '[a]\nx = 1\ny: 2\nz=3=4\n', { x: '1', y: '2', z: '3=4' }],
    ['keys in lower case', '[a]\nMaxRetry = 5\n', { maxretry: '5' }],
    ['comment lines', '[a]\n# no\n; no\n  # no\nx = 1 # stays\n', { x: '1 # stays' }],
    ['inline comments', '[a]\nx = 1 ; gone\ny = 1;stays\n', { x: '1', y: '1;stays' }],
    ['continuation lines', '[a]\nx = 1\n  2\n\t3\ny = 4\n', { x: '1\n2\n3', y: '4' }],
    ['a value that begins below its key', '[a]\nx =\n  1\n', { x: '\n1' }],
    ['comments within a value', '[a]\nx = 1\n# no\n  2\n', { x: '1\n2' }],
    ['empty lines within a value', '[a]\nx = 1\n\n  2\n\ny = 3', { x: '1\n\n2', y: '3' }],
    ['deeper continuation that looks like an option', '[a]\nx = 1\n  y = 2\n', { x: '1\ny = 2' }],
    ['empty values', '[a]\nx =\ny = \n', { x: '', y: '' }],
    ['Windows line ends and a byte order mark', '\uFEFF[a]\r\nx = 1\r\n  2\r\n', { x: '1\n2' }],
    ['percent signs as they are', '[a]\nx = %%Y %(b)s\n', { x: '%%Y %(b)s' }],
    ['text behind the section header', '[a] # c\nx = 1', { x: '1' }],
  ])('reads %s', (_, text, expected) => {
    expect(values(text)).toEqual(expected);
    expect(problems(text)).toEqual([]);
  });

  it('keeps where a value stands', () => {
    expect(parse('# c\n[DEFAULT]\n\nx = 1\n  2\n').defaults.get('x')).toEqual({
      value: '1\n2',
      file: '/etc/x.conf',
      line: 4,
    });
  });

  it.each([
    [
      '[a]\nnonsense\nx = 1',
      '/etc/x.conf:2 "nonsense" is neither "option = value" nor a continuation of the line before',
    ],
    [
      '[a]\n= 1\nx = 1',
      '/etc/x.conf:2 "= 1" is neither "option = value" nor a continuation of the line before',
    ],
    ['y = 0\n[a]\nx = 1', '/etc/x.conf:1 "y = 0" stands before the first section'],
    ['[a]\nx = 0\nX = 1', '/etc/x.conf:3 option x comes twice in [a]'],
    ['[a]\nx = 0\n[a]\ny = 2\n[b]\n', '/etc/x.conf:3 section [a] comes twice'],
  ])('names the line of what it can not use, and keeps the rest: %j', (text, message) => {
    expect(problems(text)).toEqual([message]);
    expect(values(text)['x']).toBeDefined();
    expect(parse(text).problems[0]?.fix).not.toBe('');
  });

  it('takes the later of two values', () => {
    expect(values('[a]\nx = 0\nx = 1')).toEqual({ x: '1' });
  });

  it('never throws', () => {
    const piece = fc.constantFrom(
      '[',
      ']',
      'a',
      ' ',
      '=',
      ':',
      '\n',
      '#',
      ';',
      '%',
      '\t',
      '\r',
      '[a]\n',
      'x = 1\n',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(piece).map((parts) => parts.join('')),
        ),
        (text) => {
          const file = parse(text);
          for (const { line } of [...file.sections.values()].flatMap((section) => [...section.values()])) {
            expect(line).toBeGreaterThan(0);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
