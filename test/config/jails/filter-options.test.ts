import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/config/conf/config-error.ts';
import { parseCall, splitCalls } from '../../../src/config/options/filter-call.ts';
import { filterOptions, hasFilter, readFilter } from '../../../src/config/jails/filter-options.ts';
import { substituteTags } from '../../../src/config/conf/tags.ts';
import { treeOf } from '../tree.ts';

const resolved = (text: string, given: Record<string, string> = {}, jail: Record<string, string> = {}) =>
  filterOptions(
    readFilter(treeOf({ 'filter.d/f.conf': text }), 'f'),
    new Map(Object.entries(given)),
    new Map(Object.entries(jail)),
  );

describe('filterOptions', () => {
  it.each<[string, string, Record<string, string>, string]>([
    ['%(…)s', '[DEFAULT]\na = 1\n[Definition]\nb = %(a)s2\nfailregex = %(b)s %%', {}, '12 %'],
    ['%(section/option)s', '[other]\na = 1\n[Definition]\nfailregex = %(other/a)s', {}, '1'],
    ['%(default/option)s', '[DEFAULT]\na = 1\n[Definition]\na = 2\nfailregex = %(default/a)s', {}, '1'],
    ['%(__name__)s', '[Definition]\nfailregex = %(__name__)s', {}, 'Definition'],
    [
      'tags',
      '[Definition]\na = 1\nfailregex = <a> <HOST> <F-USER>x</F-USER>',
      {},
      '1 <HOST> <F-USER>x</F-USER>',
    ],
    [
      'nested tags',
      '[Definition]\nmode = x\nre-x = 1\nre-y = 2\nfailregex = <re-<mode>>',
      { mode: 'y' },
      '2',
    ],
    [
      'tags of sections',
      '[lt_file]\np = f\n[lt_journal]\np = j\n[Definition]\nfailregex = <lt_<logtype>/p>',
      {},
      'f',
    ],
    [
      'logtype given',
      '[lt_journal]\np = j\n[Definition]\nfailregex = <lt_<logtype>/p>',
      { logtype: 'journal' },
      'j',
    ],
    ['[Init] above [Definition]', '[Definition]\na = 1\nfailregex = <a>%(a)s\n[Init]\na = 2', {}, '22'],
    ['arguments above [Init]', '[Definition]\nfailregex = <a>\n[Init]\na = 2', { a: '3' }, '3'],
    ['<known/…>', '[Definition]\nfailregex = <a>\n[Init]\na = 2', { a: '3<known/a>' }, '32'],
    ['an argument with a percent sign', '[Definition]\nfailregex = <a>', { a: '%Y' }, '%Y'],
  ])('resolves %s', (_, text, given, expected) => {
    expect(resolved(text, given).get('failregex')).toBe(expected);
  });

  it("lets the filter refer to its jail's options, below its own arguments", () => {
    const text = '[Definition]\nfailregex = <findtime> %(maxretry)s';
    expect(resolved(text, {}, { findtime: '10m', maxretry: '3' }).get('failregex')).toBe('10m 3');
    expect(
      resolved(text, { findtime: 'x', maxretry: 'y' }, { findtime: '10m', maxretry: '3' }).get('failregex'),
    ).toBe('x y');
  });

  it("leaves the filter's option out where the jail has its own", () => {
    expect(resolved('[Definition]\nfailregex = x\nignoreregex = y', {}, { failregex: 'z' })).toEqual(
      new Map([
        ['ignoreregex', 'y'],
        ['logtype', 'file'],
      ]),
    );
  });

  it.each([
    [
      '%(no)s',
      '/etc/fail2ban/filter.d/f.conf:2',
      /failregex of \[Definition\]: it refers to %\(no\)s, which nothing defines/,
    ],
    ['100% sure', '/etc/fail2ban/filter.d/f.conf:2', /lone % in "% sure"/],
    ['%(failregex)s', '/etc/fail2ban/filter.d/f.conf:2', /more than 10 deep/],
    ['<failregex>', undefined, /<failregex> in failregex refers to itself/],
  ])('says where %s is wrong', (value, where, message) => {
    const error = thrown(() => resolved(`[Definition]\nfailregex = ${value}`));
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ where, message: expect.stringMatching(message) as string });
  });

  it('knows filters of either layer and names the nearest', () => {
    const tree = treeOf({ 'filter.d/sshd.local': '' }, { 'filter.d/nginx-proxy.conf': '' });
    expect([hasFilter(tree, 'sshd'), hasFilter(tree, 'nginx-proxy'), hasFilter(tree, 'x')]).toEqual([
      true,
      true,
      false,
    ]);
    expect(thrown(() => readFilter(tree, 'nginx-prxy'))).toMatchObject({ fix: 'did you mean nginx-proxy?' });
  });

  it("puts the user's .local over a built-in filter, and the user's .conf in its place", () => {
    const builtin = { 'filter.d/f.conf': '[Definition]\nfailregex = built\nmaxlines = 3\n' };
    const local = treeOf(
      { 'filter.d/f.local': '[Definition]\nfailregex = %(known/failregex)s+local\n' },
      builtin,
    );
    const conf = treeOf({ 'filter.d/f.conf': '[Definition]\nfailregex = own\n' }, builtin);
    const options = (tree: typeof local) =>
      Object.fromEntries(filterOptions(readFilter(tree, 'f'), new Map(), new Map()));
    expect(options(local)).toMatchObject({ failregex: 'built+local', maxlines: '3' });
    expect(options(conf)).toEqual({ failregex: 'own', logtype: 'file' });
  });
});

describe('substituteTags', () => {
  it('refuses what grows without end', () => {
    const options = new Map(
      Array.from({ length: 30 }, (_, n) => [`a${n}`, `<a${n + 1}>`.repeat(10)] as const),
    );
    expect(() => substituteTags(options.set('a30', 'x'.repeat(10)), () => undefined)).toThrow(
      /grow without end/,
    );
  });

  it('ends, whatever refers to what', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd');
    const value = fc.array(
      fc.oneof(
        name.map((tag) => `<${tag}>`),
        fc.constantFrom('<', '>', 'x', '<a', '<HOST>'),
      ),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(
        fc.dictionary(
          name,
          value.map((parts) => parts.join('')),
        ),
        (options) => {
          try {
            substituteTags(new Map(Object.entries(options)), () => undefined);
          } catch (error) {
            expect(error).toBeInstanceOf(ConfigError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('parseCall', () => {
  it.each<[string, string, Record<string, string>]>([
    ['sshd', 'sshd', {}],
    ['sshd[mode=aggressive]', 'sshd', { mode: 'aggressive' }],
    ['x[a="1,2", b=\'3]\'][c=4]', 'x', { a: '1,2', b: '3]', c: '4' }],
    ['x[a=1, a=2]', 'x', { a: '2' }],
    ['x[]', 'x', {}],
    ['x[a=,b= 2 ]', 'x', { a: '', b: '2' }],
    ['x[a="multi\n line"]', 'x', { a: 'multi\n line' }],
  ])('%j', (text, name, options) => {
    const call = parseCall(text);
    expect([call.name, Object.fromEntries(call.options)]).toEqual([name, options]);
  });

  it.each([
    ['', /invalid name with options/],
    ['[a=1]', /invalid name with options/],
    ['x[a]', /unexpected "a" at position 1 of \[a\]/],
    ['x[a="1"2]', /unexpected "2" at position 6/],
    ['x[a=1', /invalid name with options/],
  ])('refuses %j', (text, message) => {
    expect(() => parseCall(text)).toThrow(message);
  });

  it('splits a list at white space outside of options', () => {
    expect(splitCalls('a[x="1 2",\n  y=3]\n  b c[z=1][z=2]')).toEqual([
      'a[x="1 2",\n  y=3]',
      'b',
      'c[z=1][z=2]',
    ]);
  });

  it('parses or throws a ConfigError', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '[', ']', '=', '"', "'", ',', ' ') }), (text) => {
        try {
          parseCall(text);
          splitCalls(text);
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

function thrown(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
