import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filterNames } from '../../src/config/config-tree.ts';
import { parseDuration } from '../../src/config/duration.ts';
import { parseCall } from '../../src/config/filter-call.ts';
import { filterOptions, readFilter } from '../../src/config/filter-options.ts';
import { evaluateFormula, parseFormula } from '../../src/config/formula.ts';
import { formulaVariables } from '../../src/config/bantime-increment.ts';
import { loadConfigTree } from '../../src/config/load-config-tree.ts';
import { resolveJails } from '../../src/config/resolve.ts';
import { splitWords } from '../../src/config/words.ts';
import { fail2banTree, type Fail2banTree } from './fail2ban-tree.ts';

type FilterCase = [name: string, options: Record<string, string>];
type Options = Record<string, string | number | null>;

interface Answers {
  filters: (Options | null)[];
  jails: Record<string, { options: Options; commands: Commands }> | null;
  durations: (number | null)[];
  calls: ([string, Record<string, string>] | null)[];
  words: (string[] | null)[];
  formulas: (number | null)[];
}

interface Commands {
  failregex: string[];
  ignoreregex: string[];
  journalmatch: string[][];
  prefregex?: string;
  datepattern?: string;
  maxlines?: number;
  usedns?: string;
}

let fail2ban: Fail2banTree;
let scratch: string;

beforeAll(async () => {
  fail2ban = await fail2banTree();
  scratch = await mkdtemp(join(tmpdir(), 'dock2ban-config-'));
});

afterAll(() => rm(scratch, { recursive: true, force: true }));

/** Asks fail2ban. */
function theirs(question: Record<string, unknown>): Answers {
  return JSON.parse(
    execFileSync('/usr/bin/python3', ['test/conformance/config.py'], {
      input: JSON.stringify({ config: fail2ban.config, ...question }),
      env: { PYTHONPATH: fail2ban.pythonPath, PYTHONWARNINGS: 'ignore' },
      encoding: 'utf8',
      maxBuffer: 256 * 1024 * 1024,
    }),
  ) as Answers;
}

function attempt<T>(run: () => T): T | null {
  try {
    return run();
  } catch {
    return null;
  }
}

const treeAt = (configDir: string) => loadConfigTree({ builtinDir: join(scratch, 'no-such'), configDir });

/** The options that fail2ban's own sample logs use each filter with. */
async function sampleOptions(name: string): Promise<Record<string, string>[]> {
  const text = await readFile(join(fail2ban.samples, name), 'utf8').catch(() => '');
  return [...text.matchAll(/^# (?:filterOptions|fileOptions):\s*(.+)$/gm)].flatMap(
    ([, json]) => JSON.parse(json!) as Record<string, string> | Record<string, string>[],
  );
}

const resolvedBySpec = [
  'failregex',
  'ignoreregex',
  'prefregex',
  'datepattern',
  'maxlines',
  'journalmatch',
  'usedns',
  'logtype',
];

/** What both make of the filters: one entry a case, comparable. */
function comparedFilters(
  tree: Awaited<ReturnType<typeof treeAt>>,
  cases: readonly FilterCase[],
  answers: Answers['filters'],
) {
  const shown = (value: string | number | null | undefined): string | null =>
    value === undefined || value === null ? null : String(value);
  const ours = cases.map(([name, given]) => {
    const options = attempt(() =>
      filterOptions(readFilter(tree, name), new Map(Object.entries(given)), new Map()),
    );
    return [name, given, options && resolvedBySpec.map((option) => [option, shown(options.get(option))])];
  });
  const expected = cases.map(([name, given], index) => {
    const options = answers[index];
    return [name, given, options ? resolvedBySpec.map((option) => [option, shown(options[option])]) : null];
  });
  return { ours, expected };
}

describe('filters', () => {
  it('resolves every stock filter as fail2ban does, with every option that its samples and modes use', async () => {
    const tree = await treeAt(fail2ban.config);
    const cases: FilterCase[] = [];
    for (const name of filterNames(tree)) {
      const modes = ['normal', 'aggressive', 'ddos', 'extra', 'errors', 'auth', 'all'].map((mode) => ({
        mode,
      }));
      const logtypes = ['journal', 'short', 'rfc5424'].map((logtype) => ({ logtype }));
      for (const options of [{}, ...modes, ...logtypes, ...(await sampleOptions(name))])
        cases.push([name, options]);
    }
    const { filters } = theirs({ filters: cases });
    const { ours, expected } = comparedFilters(tree, cases, filters);
    expect(ours).toEqual(expected);
    expect(filters.filter((answer) => answer !== null).length).toBeGreaterThan(900);
  });

  it('resolves a tree of its own that uses every corner of the dialect', async () => {
    const config = join(scratch, 'corners');
    await mkdir(join(config, 'filter.d'), { recursive: true });
    const files = {
      'filter.d/base.conf':
        '[INCLUDES]\nbefore = deeper.conf\nafter = base-after.conf\n[DEFAULT]\nshared = base\n[Definition]\nfailregex = ^base <HOST> %(shared)s\n[lt_file]\nword = from-file\n[lt_journal]\nword = from-journal\n',
      'filter.d/deeper.conf': '[DEFAULT]\nshared = deeper\ndeep = d%%p\n[Init]\nknownopt = one\n',
      'filter.d/base-after.conf': '[Definition]\nignoreregex = after %(deep)s\n',
      'filter.d/base-after.local': '[Definition]\nignoreregex = %(known/ignoreregex)s|local\n',
      'filter.d/corner.conf':
        '[INCLUDES]\nbefore = base.conf\n[DEFAULT]\n_daemon = x\n[Definition]\nmode = normal\nmdre-normal = ^n <HOST>\nmdre-aggressive = %(mdre-normal)s\n   ^a <HOST>\n# comment within\n\n   ^after an empty line <HOST> ; inline\nFailRegex : <mdre-<mode>>\n  ^<lt_<logtype>/word> %(lt_file/word)s %(default/shared)s <HOST> [%%] <_daemon> <undefined>\n  ^%(deep)s <knownopt> <known/knownopt>\nmaxlines = <lines>\n[Init]\nlines = 4\nknownopt = two\n',
      'filter.d/corner.local':
        '[Definition]\nfailregex = %(known/failregex)s\n  ^local %(__name__)s <HOST>\n',
      'filter.d/chain.conf':
        '[INCLUDES]\nbefore = base.conf\n[Definition]\nfailregex = %(known/failregex)s\n  ^chain <HOST>\n',
      'filter.d/chain.local': '[Definition]\nfailregex = %(known/failregex)s\n  ^twice <HOST>\n',
      'filter.d/loop.conf': '[Definition]\nfailregex = <a>\na = x<b>\nb = y<a>\n',
      'filter.d/missing.conf': '[Definition]\nfailregex = %(nowhere)s\n',
      'filter.d/percent.conf': '[Definition]\nfailregex = 100% sure\n',
      'filter.d/conditional.conf':
        '[Definition]\nfailregex = <word>-<HOST>\n[Init]\nword = four\n[Init?family=inet6]\nword = six\n',
    };
    for (const [path, text] of Object.entries(files)) await writeFile(join(config, path), text);
    const cases: FilterCase[] = [
      ...['corner', 'base', 'chain', 'loop', 'missing', 'percent', 'conditional', 'absent'].map(
        (name): FilterCase => [name, {}],
      ),
      ['corner', { mode: 'aggressive' }],
      ['corner', { logtype: 'journal', knownopt: '<known/knownopt>+three' }],
      ['corner', { lines: '7', failregex: '^given <HOST>' }],
      ['corner', { knownopt: '<knownopt>' }],
    ];
    const { filters } = theirs({ config, filters: cases });
    expect(filters[0]).not.toBeNull();
    const { ours, expected } = comparedFilters(await treeAt(config), cases, filters);
    expect(ours).toEqual(expected);
  });
});

/** The one stock jail that lets in whom it finds: dock2ban has no such thing, and says so. */
const letsIn = [{ jail: 'pass2allow-ftp', message: expect.stringContaining('"RETURN" lets in') as string }];

describe('jails', () => {
  it('loads jail.conf with every stock jail enabled, without a problem, resolved as fail2ban resolves it', async () => {
    const config = join(scratch, 'stock');
    await cp(fail2ban.config, config, { recursive: true });
    await writeFile(join(config, 'jail.local'), '[DEFAULT]\nenabled = true\n');
    const { ours, expected, problems } = await comparedJails(config);
    expect(problems).toMatchObject(letsIn);
    expect(ours).toEqual(expected);
    expect(ours.length).toBeGreaterThan(80);
  });

  it('resolves layers, known/ and options in the jail as fail2ban does', async () => {
    const config = join(scratch, 'layers');
    await cp(fail2ban.config, config, { recursive: true });
    const sections = [
      '[DEFAULT]\nenabled = true\nbantime = 2h\nignoreip = 192.0.2.0/24, 2001:db8::/32 friend.example.com\nmine = 7',
      '[sshd]\nmode = aggressive\nmaxretry = %(mine)s\nfailregex = %(known/failregex)s\n  ^extra <HOST>\nbackend = systemd',
      '[dovecot]\nfilter = dovecot[mode=aggressive, logtype=short]\nport = %(nginx-http-auth/port)s\nfindtime = 1d12h',
      '[postfix]\nfilter = postfix[mode=more]\nignoreregex = ^never <HOST>\ndatepattern = ^%%Y-%%m-%%d\nusedns = no',
      '[own]\nfilter =\nfailregex = ^own <HOST>\nlogpath = /var/log/own.log tail\n  /var/log/own/*.log\nbantime.increment = true\nmaxlines = 3',
    ];
    await writeFile(join(config, 'jail.local'), sections.join('\n'));
    await writeFile(join(config, 'jail.d/a.conf'), '[sshd]\nmaxretry = 1\nfindtime = 11\n');
    await writeFile(join(config, 'jail.d/z.local'), '[sshd]\nfindtime = 12m\n');
    await writeFile(
      join(config, 'filter.d/dovecot.local'),
      '[Definition]\nfailregex = %(known/failregex)s\n  ^mine <HOST>\n',
    );
    const { ours, expected, problems } = await comparedJails(config);
    expect(problems).toMatchObject(letsIn);
    expect(ours).toEqual(expected);
    expect(ours.length).toBeGreaterThan(80);
  });
});

/** What both make of the jails that watch anything. */
async function comparedJails(config: string) {
  const { jails, problems } = resolveJails({
    tree: await treeAt(config),
    containers: [],
    compileFilter: () => undefined,
  });
  const answers = Object.entries(theirs({ config, jails: true }).jails ?? {});
  const systemd = ({ backend }: Options): boolean => String(backend).startsWith('systemd');
  const expected = answers
    .filter(([, { options }]) => Boolean(options['logpath']) || systemd(options))
    .map(([name, { options, commands }]) => ({
      name,
      failregex: commands.failregex,
      ignoreregex: commands.ignoreregex,
      prefregex: commands.prefregex || undefined,
      datepattern: commands.datepattern || undefined,
      maxlines: commands.maxlines ?? 1,
      usedns: commands.usedns ?? 'warn',
      maxretry: Number(options['maxretry'] ?? 5),
      findtime: parseDuration(String(options['findtime'] ?? 600)),
      bantime: parseDuration(String(options['bantime'] ?? 600)),
      sources: systemd(options)
        ? ['journal']
        : String(options['logpath'])
            .split('\n')
            .map((path) => path.replace(/ (?:tail|head)$/, '')),
    }));
  const ours = jails.map(({ name, filter, sources, maxretry, findtime, bantime }) => ({
    name,
    failregex: filter.failregex,
    ignoreregex: filter.ignoreregex,
    prefregex: filter.prefregex,
    datepattern: filter.datepattern,
    maxlines: filter.maxlines,
    usedns: filter.usedns,
    maxretry,
    findtime,
    bantime,
    // recidive is fed with bans besides.
    sources: sources.flatMap((source) =>
      source.kind === 'bans' ? [] : source.kind === 'file' ? source.pattern : 'journal',
    ),
  }));
  return { ours, expected, problems: problems.filter(({ severity }) => severity === 'warn') };
}

describe('small languages', () => {
  const parts = fc.constantFrom(
    '1',
    '12',
    '600',
    'd',
    'h',
    'mo',
    'm',
    's',
    'y',
    'weeks',
    'hour',
    ' ',
    '+',
    '-',
    '*',
    'x',
    '.',
    '(',
    ')',
  );

  it('reads times as fail2ban does', () => {
    const texts = [
      '600',
      '-1',
      '1d12h30m',
      '1y 6mo',
      '1h-30m',
      '10 minutes',
      '1.5h',
      '1W',
      '1month',
      '2*3h',
      '',
      'x',
      '5 5',
    ];
    for (const words of fc.sample(fc.array(parts, { minLength: 1, maxLength: 5 }), {
      numRuns: 8000,
      seed: 3,
    }))
      texts.push(words.join(''));
    const { durations } = theirs({ durations: texts });
    expect(durations.filter((value) => value !== null).length).toBeGreaterThan(300);
    expect(texts.map((text) => [text, attempt(() => parseDuration(text))])).toEqual(
      texts.map((text, index) => [text, durations[index]]),
    );
  });

  it('reads name[option=value] as fail2ban does', () => {
    const texts = [
      'sshd',
      'sshd[mode=aggressive]',
      'x[a=1, b="2,3"][c=\'d]\']',
      'x[a=]',
      'x[a="1"b]',
      'x[',
      'x]',
      'x[a=1]y',
      'x[,]',
    ];
    const piece = fc.constantFrom('a', 'b=', '=', '"', "'", ',', ']', '[', ' ', '1', ', c=', '][', '-');
    for (const words of fc.sample(fc.array(piece, { maxLength: 9 }), { numRuns: 4000, seed: 4 }))
      texts.push(`name[${words.join('')}]`);
    const { calls } = theirs({ calls: texts });
    expect(calls.filter((call) => call !== null).length).toBeGreaterThan(300);
    const ours = texts.map((text) => attempt(() => parseCall(text)));
    expect(
      texts.map((text, index) => [
        text,
        ours[index] && [ours[index].name, Object.fromEntries(ours[index].options)],
      ]),
    ).toEqual(texts.map((text, index) => [text, calls[index]]));
  });

  it('splits words as a shell does', () => {
    const piece = fc.constantFrom('a', 'b c', '"', "'", '\\', ' ', '+', 'X=1', '\n', '$');
    const texts = fc
      .sample(fc.array(piece, { maxLength: 8 }), { numRuns: 3000, seed: 5 })
      .map((words) => words.join(''));
    const { words } = theirs({ words: texts });
    expect(texts.map((text) => [text, attempt(() => splitWords(text))])).toEqual(
      texts.map((text, index) => [text, words[index]]),
    );
  });

  it('computes formulas as Python does', () => {
    const texts = [
      'ban.Time * (1<<(ban.Count if ban.Count<20 else 20)) * banFactor',
      'ban.Time * math.exp(float(ban.Count+1)*banFactor)/math.exp(1*banFactor)',
      'ban.Time * (1<<min(ban.Count,20)) * banFactor',
      '-2**2 + 7//2 - -7//2 + 7 % -3 + 2**-1',
      'int(ban.Time / 7) if not ban.Count > 3 and ban.Time >= 60 else max(1, 2, ban.Count) ** 2',
      '1 if ban.Count == 1 or ban.Count == 2 else 5 if ban.Count < 9 else 10',
      'ban.Time >> 2',
      'math.pow(ban.Count, 2) + math.sqrt(16) + math.floor(2.5) + math.ceil(2.5) + math.log(8, 2) + abs(-1)',
      'ban.Time *',
      'ban.time',
      '__import__("os").system("true")',
      '(1, 2)',
    ];
    const cases = texts.flatMap((text) =>
      [0, 1, 2, 5, 25].map((count): [string, number, number, number] => [text, 600, count, 1.5]),
    );
    const { formulas } = theirs({ formulas: cases });
    const rounded = (value: number | null): string | null => (value === null ? null : value.toPrecision(12));
    const ours = cases.map(([text, time, count, factor]) =>
      attempt(() =>
        evaluateFormula(parseFormula(text, formulaVariables), {
          'ban.Time': time,
          'ban.Count': count,
          banFactor: factor,
          factor,
        }),
      ),
    );
    // Python would run the code: only that we refuse it counts.
    const expected = formulas.map((value, index) =>
      cases[index]?.[0].startsWith('__import__') ? null : value,
    );
    expect(ours.map(rounded)).toEqual(expected.map(rounded));
  });
});

it('finds the samples that the comparison relies on', async () => {
  expect((await readdir(fail2ban.samples)).length).toBeGreaterThan(80);
});
