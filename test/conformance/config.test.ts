import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { filterNames } from '../../src/config/conf/config-tree.ts';
import { parseDuration } from '../../src/config/options/duration.ts';
import { filterOptions, readFilter } from '../../src/config/jails/filter-options.ts';
import { loadConfigTree } from '../../src/config/conf/load-config-tree.ts';
import { resolveJails } from '../../src/config/resolve.ts';
import { askFail2ban, attempt, type Answers, type Options } from './fail2ban-config.ts';
import { fail2banTree, type Fail2banTree } from './fail2ban-tree.ts';

type FilterCase = [name: string, options: Record<string, string>];
let fail2ban: Fail2banTree;
let scratch: string;

beforeAll(async () => {
  fail2ban = await fail2banTree();
  scratch = await mkdtemp(join(tmpdir(), 'dock2ban-config-'));
});

afterAll(() => rm(scratch, { recursive: true, force: true }));

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
    const { filters } = askFail2ban(fail2ban, { filters: cases });
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
    const { filters } = askFail2ban(fail2ban, { config, filters: cases });
    expect(filters[0]).not.toBeNull();
    const { ours, expected } = comparedFilters(await treeAt(config), cases, filters);
    expect(ours).toEqual(expected);
  });
});

/** The one stock jail that lets in whom it finds: dock2ban has no such thing, and says so. */
const letsIn = [
  { jail: 'pass2allow-ftp', message: expect.stringContaining('"RETURN" would let in') as string },
];

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
  const answers = Object.entries(askFail2ban(fail2ban, { config, jails: true }).jails ?? {});
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

it('finds the samples that the comparison relies on', async () => {
  expect((await readdir(fail2ban.samples)).length).toBeGreaterThan(80);
});
