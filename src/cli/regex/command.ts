import { parseJailOption } from '../../config/options/jail-options.ts';
import { Dock2banError } from '../../errors.ts';
import { boundBacktracking } from '../../filter/backtracking.ts';
import type { ExceededReport } from '../../filter/filter-options.ts';
import { compileFilter, type Filter } from '../../filter/filter.ts';
import type { Output } from '../output.ts';
import { exitCode } from '../exit-code.ts';
import { isFile } from './filter-file.ts';
import { openLog, type Log } from './log-lines.ts';
import { parseRegexArguments, regexHelp, type RegexOptions } from './options.ts';
import { outFormat } from './out-format.ts';
import { reportJson, reportText } from './report.ts';
import { ResolvedNames, type Lookup } from './resolved-names.ts';
import { readRules, type Rules } from './rules.ts';
import { Tally } from './tally.ts';

export interface RegexContext {
  /** How the command is called, for its help. */
  readonly name: string;
  readonly version: string;
  /** Where `--config` doesn't say otherwise. */
  readonly configDir: string;
  /** `filters/` as shipped. */
  readonly builtinDir: string;
  readonly output: Output;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** By default the system's resolver. */
  readonly lookup?: Lookup;
}

/** fail2ban-regex's exit code for whatever can't be tested. */
const failed = 255;

/**
 * `dock2ban regex`, alias fail2ban-regex: tests expressions, a filter or a jail on a log, and prints fail2ban-regex's
 * sections.
 * @returns its exit codes: 0 done, whatever matched; 2 unknown option; 255 the test can't be made
 */
export async function regexCommand(argv: readonly string[], context: RegexContext): Promise<number> {
  const { name, version, output } = context;
  const { options, words, contradictions } = parseRegexArguments(argv);
  if (options.help || options.version) {
    output.print(options.help ? regexHelp(name) : `${version}\n`);
    return exitCode.done;
  }
  const [log, regex, ignoreregex] = words;
  const errors = [
    ...contradictions,
    ...(words.length === 2 || words.length === 3 ? [] : ['provide both <LOG> and <REGEX>.']),
  ];
  if (log === undefined || regex === undefined || errors.length > 0) {
    output.print(regexHelp(name));
    output.warn(`\n${errors.map((error) => `ERROR: ${error}\n`).join('')}`);
    return failed;
  }
  for (const notice of options.withoutEffect) output.warn(`${notice}\n`);
  try {
    await new RegexTest(options, context).run(log, regex, ignoreregex);
    return exitCode.done;
  } catch (error) {
    if (!(error instanceof Dock2banError)) throw error;
    output.warn(`ERROR: ${error.message}\n${error.fix === undefined ? '' : `  ${error.fix}\n`}`);
    return failed;
  }
}

class RegexTest {
  readonly #options: RegexOptions;
  readonly #context: RegexContext;
  readonly #names: ResolvedNames;
  /** Searches given up, by expression: how often, and the longest text. */
  readonly #exceeded = new Map<string, { times: number; longest: number }>();

  constructor(options: RegexOptions, context: RegexContext) {
    this.#options = { ...options, config: options.config ?? context.configDir };
    this.#context = context;
    this.#names = new ResolvedNames(context.lookup);
  }

  /** @throws Dock2banError */
  async run(logArgument: string, regex: string, ignoreregex: string | undefined): Promise<void> {
    boundBacktracking();
    const { builtinDir, output } = this.#context;
    const { out, json } = this.#options;
    const rules = await readRules({ regex, ignoreregex, options: this.#options, builtinDir });
    for (const { where, message, fix } of rules.problems ?? [])
      output.warn(`${where}: ${message}\n  ${fix}\n`);
    const filter = this.#filter(rules);
    const log = await this.#openLog(logArgument, rules);
    if (out !== undefined) {
      for (const line of await this.#twice(rules, filter, (made) => this.#failures(log, made, out)))
        output.print(`${line}\n`);
    } else {
      if (!json) output.print(this.#introduction(rules, filter, log));
      const start = performance.now();
      const tally = await this.#twice(rules, filter, (made) => this.#tally(log, rules, made));
      const seconds = (performance.now() - start) / 1000;
      output.print(
        json
          ? reportJson(tally, rules.spec, this.#options)
          : reportText(tally, rules.spec, this.#options, seconds),
      );
    }
    for (const [expression, { times, longest }] of this.#exceeded) {
      output.warn(
        `${expression} was given up ${times} times, as too costly for lines of up to ${longest} characters; there it counts as not matched\n`,
      );
    }
  }

  /** @throws Dock2banError if an expression can't be used */
  #filter({ spec }: Rules): Filter {
    const { raw, checkAll } = this.#options;
    this.#exceeded.clear();
    return compileFilter(spec, {
      explain: true,
      everyRegex: checkAll,
      rawNames: raw,
      resolver: this.#names,
      onExceeded: (report) => this.#noteExceeded(report),
      clock: this.#context.now,
    });
  }

  #noteExceeded({ expression, length }: ExceededReport): void {
    const { times, longest } = this.#exceeded.get(expression) ?? { times: 0, longest: 0 };
    this.#exceeded.set(expression, { times: times + 1, longest: Math.max(longest, length) });
  }

  async #openLog(log: string, { spec }: Rules): Promise<Log> {
    const { encoding = 'UTF-8' } = this.#options;
    if (log.startsWith('systemd-journal')) {
      throw new Dock2banError('regex-log', 'the systemd journal is not read here', {
        fix: 'test a file: journalctl --no-pager -o short-iso … > FILE',
      });
    }
    if (/^\/\S+$/.test(log) && !(await isFile(log)))
      this.#context.output.warn(`${log} is no file; it is tested as a log line\n`);
    const label = parseJailOption('logencoding', encoding) ?? 'utf-8';
    return openLog(log, { label, name: encoding }, spec.maxlines <= 1);
  }

  /** Runs once, and again once the addresses of the names that came up are known. */
  async #twice<Result>(
    rules: Rules,
    filter: Filter,
    pass: (filter: Filter) => Promise<Result>,
  ): Promise<Result> {
    const result = await pass(filter);
    return (await this.#names.resolveAsked()) ? pass(this.#filter(rules)) : result;
  }

  async #tally(log: Log, { spec }: Rules, filter: Filter): Promise<Tally> {
    const tally = new Tally(filter, spec, this.#options);
    const now = this.#context.now();
    for await (const line of log.lines()) tally.add(line, now);
    return tally;
  }

  async #failures(log: Log, filter: Filter, out: string): Promise<string[]> {
    const now = this.#context.now();
    const format = outFormat(out, now);
    const lines: string[] = [];
    for await (const { text, cut } of log.lines()) {
      const { hits } = filter.examine({ text, cut, time: undefined, dateRemoved: false }, now);
      lines.push(...format(hits.filter(({ counts, id }) => counts && id !== undefined)));
    }
    return lines;
  }

  /** fail2ban-regex's sections before `Results`. */
  #introduction(rules: Rules, filter: Filter, log: Log): string {
    const { maxlines, datepattern } = this.#options;
    const { spec } = rules;
    const maxlinesUse = `Use         maxlines : ${spec.maxlines}`;
    const dateUse = `Use      datepattern : ${spec.datepattern} : ${nameOfDates(filter)}`;
    return [
      '',
      'Running tests',
      '=============',
      '',
      ...(maxlines === undefined ? [] : [maxlinesUse]),
      ...(datepattern === undefined ? [] : [dateUse]),
      ...rules.regexUses,
      ...(maxlines === undefined && rules.setsMaxlines ? [maxlinesUse] : []),
      ...(datepattern === undefined && spec.datepattern !== undefined ? [dateUse] : []),
      ...(rules.ignoreregexUse === undefined ? [] : [rules.ignoreregexUse]),
      ...log.uses,
      '',
      '',
    ].join('\n');
  }
}

/** As fail2ban calls the templates of a datepattern. */
function nameOfDates(filter: Filter): string {
  const [first, , ...more] = filter.dateHits;
  return first === undefined || more.length > 0 ? 'Default Detectors' : first.name;
}
