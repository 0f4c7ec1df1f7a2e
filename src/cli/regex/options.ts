import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { Dock2banError, messageOf } from '../../errors.ts';

interface Flag {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** What stands for the value in the help. */
  readonly value?: string;
  readonly help: string;
  readonly multiple?: true;
}

/** The options of fail2ban-regex 1.0, and `--json`. */
const flags = {
  config: {
    type: 'string',
    short: 'c',
    value: 'DIR',
    help: 'configuration directory (default /etc/fail2ban)',
  },
  datepattern: {
    type: 'string',
    short: 'd',
    value: 'PATTERN',
    help: 'date pattern, instead of the filter’s',
  },
  timezone: {
    type: 'string',
    value: 'ZONE',
    help: 'zone of dates that name none, such as UTC+0200 (also --TZ)',
  },
  TZ: { type: 'string', help: '' },
  encoding: { type: 'string', short: 'e', value: 'NAME', help: 'encoding of the log file (default UTF-8)' },
  raw: { type: 'boolean', short: 'r', help: 'take DNS names as they are' },
  usedns: {
    type: 'string',
    value: 'HOW',
    help: 'yes, warn (default), no (<HOST> is an address only) or raw',
  },
  maxlines: { type: 'string', short: 'L', value: 'N', help: 'lines that an expression sees at once' },
  journalmatch: {
    type: 'string',
    short: 'm',
    value: 'MATCH',
    help: 'for systemd-journal only, which is not read here',
  },
  'log-level': { type: 'string', short: 'l', value: 'LEVEL', help: 'taken, without effect' },
  V: { type: 'boolean', short: 'V', help: '' },
  version: { type: 'boolean', help: 'print the version (also -V)' },
  help: { type: 'boolean', short: 'h', help: 'print this help' },
  verbose: {
    type: 'boolean',
    short: 'v',
    multiple: true,
    help: 'print all expressions and what they found; -vv more',
  },
  verbosity: { type: 'string', value: 'N', help: 'as many -v' },
  'verbose-date': { type: 'boolean', help: 'print the expressions of date patterns (also --VD)' },
  VD: { type: 'boolean', help: '' },
  debuggex: { type: 'boolean', short: 'D', help: 'taken, without effect' },
  'no-check-all': { type: 'boolean', help: 'stop at the first expression that matches' },
  out: {
    type: 'string',
    short: 'o',
    value: 'WHAT',
    help: 'print only this of each failure: id, ip, msg, row, a field, or a text with <ip>, <msg>, <F-USER>, …',
  },
  'print-no-missed': { type: 'boolean', help: 'print no missed lines' },
  'print-no-ignored': { type: 'boolean', help: 'print no ignored lines' },
  'print-all-matched': { type: 'boolean', help: 'print all matched lines' },
  'print-all-missed': { type: 'boolean', help: 'print all missed lines, however many' },
  'print-all-ignored': { type: 'boolean', help: 'print all ignored lines, however many' },
  'log-traceback': { type: 'boolean', short: 't', help: 'taken, without effect' },
  'full-traceback': { type: 'boolean', help: 'taken, without effect' },
  json: { type: 'boolean', help: 'print JSON' },
} satisfies Record<string, Flag>;

/** Options that are taken as fail2ban-regex takes them, and why they have no effect. */
const withoutEffect = {
  journalmatch: 'the systemd journal is not read here',
  'log-level': 'filters keep no log of their own; -v and -vv tell what they do',
  debuggex: 'debuggex.com knows neither the tags nor the bounds of these expressions',
  'log-traceback': 'filters keep no log of their own',
  'full-traceback': 'filters keep no log of their own',
} satisfies Partial<Record<keyof typeof flags, string>>;

/** What `dock2ban regex` is told. */
export interface RegexOptions {
  readonly config: string | undefined;
  readonly datepattern: string | undefined;
  readonly timezone: string | undefined;
  readonly encoding: string | undefined;
  readonly raw: boolean;
  readonly usedns: string | undefined;
  readonly maxlines: string | undefined;
  readonly verbose: number;
  readonly verboseDate: boolean;
  readonly checkAll: boolean;
  readonly out: string | undefined;
  /** Which lines are listed: up to 20, all, or none. */
  readonly lists: { readonly matched: Listing; readonly ignored: Listing; readonly missed: Listing };
  readonly json: boolean;
  readonly version: boolean;
  readonly help: boolean;
  /** What is to be said of options given that have no effect here. */
  readonly withoutEffect: readonly string[];
}

export type Listing = 'few' | 'all' | 'none';

/**
 * Parses the command line; options may stand anywhere, and long ones may be abbreviated, as fail2ban-regex has it.
 * @returns `contradictions`: messages about options that exclude each other
 * @throws Dock2banError `usage`
 */
export function parseRegexArguments(argv: readonly string[]): {
  options: RegexOptions;
  words: string[];
  contradictions: string[];
} {
  const { values, positionals } = parsed(argv);
  const level = values.verbosity === undefined ? undefined : Number(values.verbosity);
  if (level !== undefined && !Number.isInteger(level))
    throw new Dock2banError('usage', `--verbosity: ${values.verbosity} is no number`);
  const contradictions = (['missed', 'ignored'] as const)
    .filter((list) => values[`print-no-${list}`] && values[`print-all-${list}`])
    .map((list) => `--print-no-${list} and --print-all-${list} are mutually exclusive.`);
  return {
    words: positionals,
    contradictions,
    options: {
      config: values.config,
      datepattern: values.datepattern,
      timezone: values.timezone ?? values.TZ,
      encoding: values.encoding,
      raw: values.raw ?? false,
      usedns: values.usedns,
      maxlines: values.maxlines,
      verbose: level ?? values.verbose?.length ?? 0,
      verboseDate: values['verbose-date'] ?? values.VD ?? false,
      checkAll: !values['no-check-all'] && values.out === undefined,
      out: values.out,
      lists: {
        matched: values['print-all-matched'] ? 'all' : 'none',
        ignored: values['print-no-ignored'] ? 'none' : values['print-all-ignored'] ? 'all' : 'few',
        missed: values['print-no-missed'] ? 'none' : values['print-all-missed'] ? 'all' : 'few',
      },
      json: values.json ?? false,
      version: values.version ?? values.V ?? false,
      help: values.help ?? false,
      withoutEffect: Object.entries(withoutEffect)
        .filter(([name]) => Object.hasOwn(values, name))
        .map(([name, why]) => `--${name} has no effect: ${why}`),
    },
  };
}

/** The help, as `name` is called. */
export function regexHelp(name: string): string {
  const rows = Object.entries(flags as Record<string, Flag>)
    .filter(([, { help }]) => help !== '')
    .map(([long, { short, value, help }]): [string, string] => {
      const named = short === undefined ? `--${long}` : `-${short}, --${long}`;
      return [value === undefined ? named : `${named} ${value}`, help];
    });
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return [
    `Usage: ${name} [OPTIONS] <LOG> <REGEX> [IGNOREREGEX]`,
    '',
    'Tests expressions or a filter on a log.',
    '',
    'LOG:          a log line, or the path of a log file',
    'REGEX:        a failregex, a filter (sshd[mode=aggressive]), the path of a filter file, or a jail',
    'IGNOREREGEX:  an ignoreregex, or the path of a filter file',
    '',
    'Options:',
    ...rows.map(([left, help]) => `  ${left.padEnd(width)}${help}`),
    '',
  ].join('\n');
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: argv.map(unabbreviated), options: config(flags), allowPositionals: true });
  } catch (cause) {
    throw new Dock2banError('usage', messageOf(cause), { cause });
  }
}

function config<Flags extends ParseArgsOptionsConfig>(all: Flags): Flags {
  return all;
}

/** `--print-all-mi` → `--print-all-missed`, where only one option begins so. */
function unabbreviated(argument: string): string {
  const [, name, value = ''] = /^--([^=]+)(=.*)?$/s.exec(argument) ?? [];
  if (name === undefined || Object.hasOwn(flags, name)) return argument;
  const [match, ...others] = Object.keys(flags).filter((flag) => flag.length > 1 && flag.startsWith(name));
  return match !== undefined && others.length === 0 ? `--${match}${value}` : argument;
}
