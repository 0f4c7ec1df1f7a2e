import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { boundBacktracking } from '../../src/filter/backtracking.ts';
import { groupsOf } from '../../src/filter/python-regex/match.ts';
import { alphabetOf, PythonPattern } from '../../src/filter/python-regex/pattern.ts';
import { RegexError } from '../../src/filter/python-regex/syntax.ts';
import { resolveTags } from '../../src/filter/tags.ts';
import { fail2banTree } from './fail2ban-tree.ts';
import { sampleFilters } from './sample-filters.ts';

interface Job {
  readonly pattern: string;
  readonly multiline: boolean;
  readonly texts: readonly string[];
}

type Result = [start: number, groups: Record<string, string | null>] | null;
type Answer = { readonly error: string } | { readonly results: readonly Result[] };

async function askPython(jobs: readonly Job[]): Promise<Answer[]> {
  const script = join(import.meta.dirname, 'python_regex.py');
  const { stdout } = await execa('/usr/bin/python3', [script], {
    input: jobs.map((job) => JSON.stringify(job)).join('\n'),
    maxBuffer: 1_000_000_000,
  });
  return stdout.split('\n').map((line) => JSON.parse(line) as Answer);
}

function search(pattern: PythonPattern, text: string): Result {
  const match = pattern.search(text, alphabetOf(text));
  if (!match) return null;
  const groups = Object.entries(groupsOf(match)).map(([name, value]) => [name, value ?? null]);
  return [match.start, Object.fromEntries(groups) as Record<string, string | null>];
}

/** Where our answers differ from Python's, by both of our engines. */
async function differences(jobs: readonly Job[]): Promise<string[]> {
  const answers = await askPython(jobs);
  return jobs.flatMap(({ pattern, multiline, texts }, i) => {
    const answer = answers[i]!;
    if ('error' in answer) return [`${pattern}: Python says ${answer.error}`];
    let exceeded = 0;
    const quick = new PythonPattern(pattern, { multiline });
    const bounded = new PythonPattern(pattern, { multiline, onExceeded: () => (exceeded += 1) });
    bounded.distrust();
    return texts.flatMap((text, j) => {
      const theirs = JSON.stringify(answer.results[j]);
      const ours = JSON.stringify(search(quick, text));
      exceeded = 0;
      const slow = JSON.stringify(search(bounded, text));
      const wrong: string[] = [];
      const where = `${pattern} on ${JSON.stringify(text)}: Python ${theirs}`;
      if (ours !== theirs) wrong.push(`${where}, ours ${ours}`);
      if (slow !== theirs && exceeded === 0) wrong.push(`${where}, bounded ${slow}`);
      return wrong;
    });
  });
}

beforeAll(boundBacktracking);

describe('our regular expressions find what Python’s find', () => {
  it('in stock filters, on every sample line', async () => {
    const tree = await fail2banTree();
    const filters = await sampleFilters(tree);
    const names = (await readdir(tree.samples, { withFileTypes: true })).filter((entry) => entry.isFile());
    const logs = await Promise.all(names.map(({ name }) => readFile(join(tree.samples, name), 'utf8')));
    const lines = logs.flatMap((log) =>
      log.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#')),
    );
    // Most lines say nothing about most expressions, so each gets those of a few filters and their dateless tails.
    const jobs = filters.names.flatMap((name, i) => {
      const { failregex, ignoreregex, prefregex, maxlines } = filters.spec(name, new Map());
      const own = logs[names.findIndex((file) => file.name === name)]?.split(/\r?\n/) ?? [];
      const some = [
        ...own.filter((line) => !line.startsWith('#')),
        ...lines.filter((_, j) => j % 40 === i % 40),
      ];
      const texts = some.flatMap((line) => [line, line.slice(15), line.slice(line.indexOf(': ') + 2)]);
      return [...failregex, ...ignoreregex, ...(prefregex === undefined ? [] : [prefregex])].map((regex) => ({
        // As fail2ban does before compiling.
        pattern: resolveTags(regex, true).source.replace(/(?<!\\)\((?:\?:)?(\(\?[a-z]+)\)/g, '$1:'),
        multiline: maxlines > 1,
        texts: texts.map((text) => `${text}\n`),
      }));
    });
    expect((await differences(jobs)).slice(0, 20)).toEqual([]);
  });

  it('in each construct', async () => {
    const texts = [
      '',
      'a',
      'ab',
      'aab',
      'abc',
      'ABC',
      'a b',
      'a\nb',
      'a\n',
      'a\n\n',
      '\n',
      'a\r',
      'a\u2028b',
      'é',
      'É',
      'ﬁ',
      'ß',
      'ẞ',
      'İ',
      'ı',
      'i',
      'I',
      'ſ',
      's',
      'K',
      'K',
      'µ',
      'μ',
      '\u0660',
      '5',
      '½',
      '\u1680',
      '\ufeff',
      '\x1c',
      '\x85',
      '\u00a0',
      '_',
      'x-y',
      ']',
      '^',
      '-',
      '\\',
      'x]y',
      '"q"',
      "'q'",
      'aXbX',
      'foo foo',
      'foo bar',
      '<a>',
      '{,2}',
      'a{2}',
      'aaa',
      'aaaa',
      '日本',
      'naïve café',
      'a.b',
      '1.2.3.4',
      '$',
      '(x)',
    ];
    const patterns = [
      'a',
      '.',
      '.+',
      'a$',
      'a\\Z',
      '^b',
      '\\Ab',
      'a.b',
      '(?s)a.b',
      '(?m)^b',
      '(?m)a$',
      '(?i)abc',
      '(?i)[a-c]+',
      '(?i)i',
      '(?i)s',
      '(?i)k',
      '(?i)µ',
      '(?i)É',
      '(?i)ß',
      '(?i)[^i]',
      '(?ia)i',
      '(?i:A)b',
      'a(?i:B)',
      '(?i:(?-i:a)B)',
      '\\d',
      '\\w+',
      '\\W',
      '\\s',
      '\\S+',
      '\\D',
      '(?a)\\w+',
      '(?a)\\d',
      '(?a)\\s',
      '(?a:\\w)+',
      '\\bé',
      'é\\b',
      '\\Bb',
      '\\b',
      '[]]',
      '[^]]',
      '[]a]+',
      '[a\\]]',
      '[\\w-]+',
      '[a-]',
      '[-a]',
      '[\\d.]+',
      '[^\\s]+',
      '[\\S]',
      '[\\W\\d]',
      '[^\\W\\d]+',
      '[\\x41-\\x43]',
      '[\\101]',
      '[\\b]',
      '[$^]',
      'a{2}',
      'a{,2}',
      'a{2,}',
      'a{1,2}?',
      'a{',
      'a{}',
      'a{,}',
      'a*?b',
      'a+?',
      'a??b',
      'a*+b',
      'a++',
      '(?>a+)b',
      '(?>a|ab)c',
      '(?P<x>a)(?P=x)',
      '(?P<x>a)?(?P=x)b',
      '(?P<x>\\w+) (?P=x)',
      '(a)\\1',
      '(?i)(?P<x>a)b?(?P=x)',
      '(?P<q>["\'])?q(?(q)(?P=q)|$)',
      '(a)?b(?(1)c|$)',
      '(?P<x>a)|b(?P<y>c)?',
      '(?:(?P<x>a)|b)(?(x)b|$)',
      '(?P<x>(?P<y>a)|b)(?(y)b|\\Z)',
      '(?:(?P<x>a))*?(?(x)b|.)',
      '(?P<x>a)*(?(x)b|c)',
      'x(?#comment)-',
      '(?x) a  b # c',
      '(?x)a\\ b',
      '(?x)[ ]b',
      '(?=a)\\w+',
      '(?!a)\\w',
      '(?<=a)b',
      '(?<!a)b',
      '(?<=[ab])c',
      '(?:)',
      '(?:a|)b',
      '|a',
      'a||b',
      '(?:a|ab)(?:c|)',
      '\\.',
      '\\-',
      '\\/',
      '\\"',
      '\\n',
      '\\t',
      '\\x61',
      '\\u00e9',
      '\\0',
      '\\141',
      '\\$',
      '(?P<a1_b>.)',
      '(?P<été>é)',
      '<a>',
      '日.',
      '[日-本]+',
      '(?:a?){3}b',
      '(?:a{2}){2}',
      '(?:(?:a)b)?',
      '^$',
      '^\\s*$',
      '(?m)^$',
      '$',
      '^',
      '(?:^|,)a',
      '(?:a$|b)',
      '(a|b)+',
      '(?P<x>a|b)+',
      '(?:(?P<x>a)|b)+',
      '(?:(?P<x>a)|(?P<y>b)|c)*$',
      '(?:(?P<x>a)b?)*c',
      '(?:(?P<x>a)|b)+(?P=x)',
      '(?:(?P<x>a)|b)+(?(x)b|a)$',
      '(?:(?P<x>a)|(?(x)b|c))+',
    ];
    expect(await differences(patterns.map((pattern) => ({ pattern, multiline: false, texts })))).toEqual([]);
  });

  it('and refuse what Python refuses', async () => {
    const patterns = [
      '(',
      ')',
      'a)',
      '[',
      '[a',
      '[]',
      '*',
      '+a',
      '?',
      'a**',
      'a{1}{2}',
      'a?+?',
      '^*',
      '(?P<x>',
      '(?P<x',
      '(?P<1>a)',
      '(?P=x)',
      '(?P<x>a)(?P<x>b)',
      '\\1',
      '(a)\\2',
      '(\\1)',
      '(?(x)a)',
      '(?(1)a)',
      '(a)(?(1)b|c|d)',
      '[b-a]',
      '[\\w-a]',
      '[a-\\d]',
      'a{2,1}',
      '\\q',
      '\\',
      '[\\q]',
      '{,2}',
      'a(?i)',
      '(?z)',
      '(?z:a)',
      '(?L)a',
      '(?',
      '(?<x>a)',
      '(?P',
      '(?#',
      '\\x4',
      '\\u12',
      '\\N',
      '\\400',
      '[\\8]',
      '\\8',
    ];
    const answers = await askPython(patterns.map((pattern) => ({ pattern, multiline: false, texts: [] })));
    const python = patterns.filter((_, i) => 'error' in answers[i]!);
    const ours = patterns.filter((pattern) => {
      try {
        return !new PythonPattern(pattern);
      } catch (error) {
        return error instanceof RegexError;
      }
    });
    expect(ours).toEqual(python);
  });

  it('in expressions made at random', async () => {
    const atom = fc.constantFrom(
      'a',
      'b',
      'c',
      '.',
      '\\w',
      '[ab]',
      '[^a]',
      '(?=a)',
      '(?!b)',
      '\\b',
      '^',
      '$',
      ' ',
      '(?P=x)',
    );
    const piece = fc
      .tuple(atom, fc.constantFrom('', '', '', '*', '+', '?', '*?', '{1,2}', '{2}'))
      .map(([a, q]) => (/^[\^$(]|\\b/.test(a) ? a : a + q));
    const branch = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(''));
    const group = fc
      .tuple(branch, branch, fc.constantFrom('(?:', '(?P<y>', '(?i:'), fc.constantFrom('', '?', '+'))
      // What JavaScript does with a loop over nothing differs in what groups capture.
      .map(([a, b, open, q]) => (q === '+' ? `(?:c${a}(?P<z>b)?|${open}a${b}))+` : `${open}${a}|${b})${q}`));
    const whole = fc
      .tuple(
        branch,
        fc.constantFrom('(?P<x>a)', '(?P<x>b)?', '(?P<x>a|ab)'),
        branch,
        group,
        branch,
        fc.constantFrom('', '(?(x)a|b)', '(?(x)|c)'),
      )
      .map((parts) => parts.join(''));
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'A', ' ', '\n', 'é'), maxLength: 8 });
    const jobs = fc
      .sample(whole, { numRuns: 600, seed: 42 })
      .filter((pattern) => !pattern.slice(0, pattern.indexOf('(?P<x>')).includes('(?P=x)'))
      .map((pattern) => ({ pattern, multiline: false, texts: fc.sample(text, { numRuns: 12, seed: 7 }) }));
    const answers = await askPython(jobs);
    const valid = jobs.filter((_, i) => 'results' in answers[i]!);
    expect(valid.length).toBeGreaterThan(300);
    expect((await differences(valid)).slice(0, 20)).toEqual([]);
  });
});
