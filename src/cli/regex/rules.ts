import { basename, dirname } from 'node:path';
import { ConfigError } from '../../config/conf/config-error.ts';
import { filterNames, type ConfigTree } from '../../config/conf/config-tree.ts';
import { parseCall, type Call } from '../../config/options/filter-call.ts';
import {
  filterOptions,
  hasFilter,
  readFilter,
  type FilterDefinition,
} from '../../config/jails/filter-options.ts';
import { jailDefinitions } from '../../config/jails/jail-definitions.ts';
import { jailFilter } from '../../config/jails/jail-filter.ts';
import { isJailOption, parseJailOption, type JailOption } from '../../config/options/jail-options.ts';
import type { Label } from '../../config/labels/label.ts';
import { loadConfigTree } from '../../config/conf/load-config-tree.ts';
import { nearest } from '../../config/options/nearest.ts';
import type { ConfigProblem } from '../../config/jail-spec.ts';
import type { FilterSpec } from '../../filter/spec.ts';
import { filterSpecOf } from '../filter-spec-of.ts';
import { pythonRepr } from '../python-repr.ts';
import { readFilterFile } from './filter-file.ts';
import type { RegexOptions } from './options.ts';

/** What a log is to be tested with. */
export interface Rules {
  readonly spec: FilterSpec;
  /** `Use failregex filter file : sshd, …` and what belongs to it, as fail2ban-regex prints them. */
  readonly regexUses: readonly string[];
  readonly ignoreregexUse: string | undefined;
  /** Whether the filter itself says how many lines an expression sees. */
  readonly setsMaxlines: boolean;
  /** What is wrong with its files. */
  readonly problems?: readonly ConfigProblem[];
}

export interface RulesRequest {
  readonly regex: string;
  readonly ignoreregex: string | undefined;
  readonly options: RegexOptions;
  readonly builtinDir: string;
}

/** A filter, a jail, or an expression, as the command line names it. */
interface Named {
  readonly spec: FilterSpec;
  readonly uses: readonly string[];
  readonly setsMaxlines: boolean;
  readonly problems?: readonly ConfigProblem[];
}

/**
 * Finds what REGEX and IGNOREREGEX mean: a filter's name with options, a filter file, a jail's name, else an expression.
 * A filter goes before a jail of the same name, as in fail2ban 1.0.
 * @throws ConfigError
 */
export async function readRules(request: RulesRequest): Promise<Rules> {
  const { options, ignoreregex } = request;
  const named = await readRegex(request);
  const ignored =
    ignoreregex === undefined ? undefined : await readIgnoreregex(ignoreregex, request.builtinDir);
  const { maxlines, datepattern, usedns, timezone } = options;
  const { spec } = named;
  return {
    spec: {
      ...spec,
      ignoreregex: [...spec.ignoreregex, ...(ignored?.expressions ?? [])],
      ...(maxlines !== undefined && { maxlines: optionValue('maxlines', '--maxlines', maxlines) }),
      ...(usedns !== undefined && { usedns: optionValue('usedns', '--usedns', usedns) }),
      ...(timezone !== undefined && { logTimeZone: optionValue('logtimezone', '--timezone', timezone) }),
      ...(datepattern !== undefined && { datepattern }),
    },
    regexUses: named.uses,
    ignoreregexUse: ignored?.use,
    setsMaxlines: named.setsMaxlines,
    ...(named.problems && { problems: named.problems }),
  };
}

async function readRegex(request: RulesRequest): Promise<Named> {
  const { regex, options, builtinDir } = request;
  const literal = (): Named => ({
    spec: filterSpecOf('REGEX', new Map([['failregex', linesOf(regex)]])),
    uses: [use('failregex', 'line', shortened(regex))],
    setsMaxlines: false,
  });
  if (!/^\/{0,3}[\w/_\-.]+(?:\[.*\])?$/s.test(regex)) return literal();
  const call = parseCall(regex);
  const given = options.config ?? '/etc/fail2ban';
  const configDir = basename(given) === 'filter.d' ? dirname(given) : given;
  if (call.name.includes('/')) {
    const extensions = call.name.slice(-6).includes('.') ? [''] : ['', '.conf', '.local'];
    const file = await readFilterFile(call.name, extensions, builtinDir);
    if (!file) return literal();
    const what = file.configDir === undefined ? 'file' : 'filter file';
    const source =
      file.configDir === undefined ? call.name : `${file.definition.name}, basedir: ${file.configDir}`;
    return ofFilter(file.definition, call, use('failregex', what, source), options);
  }
  const tree = await loadConfigTree({ builtinDir, configDir });
  const name = call.name.replace(/\.(?:conf|local)$/, '');
  if (hasFilter(tree, name))
    return ofFilter(
      readFilter(tree, name),
      call,
      use('failregex', 'filter file', `${name}, basedir: ${given}`),
      options,
    );
  return ofJail(tree, call) ?? mistaken(tree, call.name) ?? literal();
}

function ofFilter(definition: FilterDefinition, call: Call, first: string, { verbose }: RegexOptions): Named {
  if (!definition.set.sections.has('Definition'))
    throw new ConfigError(
      `${definition.file}: there is no section [Definition]`,
      'write [Definition] above its options',
    );
  const resolved = filterOptions(definition, call.options, new Map());
  const real = ['logtype', 'datepattern', ...call.options.keys()].filter((name) => resolved.has(name));
  return {
    spec: filterSpecOf(definition.name, resolved),
    uses: [
      first,
      ...(call.options.size > 0 ? [`Use   filter options : ${pythonRepr(call.options)}`] : []),
      ...(verbose > 1
        ? [`Real  filter options : ${pythonRepr(new Map(real.map((name) => [name, resolved.get(name)])))}`]
        : []),
    ],
    setsMaxlines: resolved.has('maxlines'),
    problems: definition.problems,
  };
}

/** Undefined: there is no such jail. */
function ofJail(tree: ConfigTree, { name, options }: Call): Named | undefined {
  const definitions = jailDefinitions(tree);
  if (!definitions.names.includes(name)) return undefined;
  const overrides = new Map<JailOption, Label>();
  for (const [option, value] of options) {
    if (!isJailOption(option))
      throw new ConfigError(
        `${option} is no option of a jail`,
        `name the filter: ${name}[…] takes options of the jail`,
      );
    overrides.set(option, { name: option, value });
  }
  const { spec } = jailFilter(tree, definitions, name, overrides);
  return {
    spec,
    setsMaxlines: spec.maxlines > 1,
    uses: [
      use('', 'jail', name),
      ...(options.size > 0 ? [`Use jail/flt options : ${pythonRepr(options)}`] : []),
    ],
  };
}

/** A word without any tag can't be a failregex: most likely a name was mistyped. */
function mistaken(tree: ConfigTree, name: string): undefined {
  const meant = nearest(name, [...filterNames(tree), ...jailDefinitions(tree).names]);
  if (meant === undefined) return undefined;
  throw new ConfigError(`there is neither a filter nor a jail ${name}`, `did you mean ${meant}?`);
}

async function readIgnoreregex(
  text: string,
  builtinDir: string,
): Promise<{ expressions: readonly string[]; use: string }> {
  if (/^[\w/.-]*\/[\w.-]+\.(?:conf|local)$/.test(text)) {
    const file = await readFilterFile(text, [''], builtinDir);
    if (file) {
      const { ignoreregex } = filterSpecOf(
        file.definition.name,
        filterOptions(file.definition, new Map(), new Map()),
      );
      return { expressions: ignoreregex, use: use('ignoreregex', 'file', text) };
    }
  }
  return { expressions: [text], use: use('ignoreregex', 'line', shortened(text)) };
}

function optionValue<Name extends 'maxlines' | 'usedns' | 'logtimezone'>(
  name: Name,
  flag: string,
  text: string,
) {
  try {
    return parseJailOption(name, text);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`${flag}: ${error.message}`, error.fix ?? '');
  }
}

function use(what: string, kind: string, source: string): string {
  return `Use ${what.padStart(11)} ${kind} : ${source}`;
}

/** An expression a line, as in a filter: however they are indented. */
function linesOf(text: string): string {
  return text.includes('\n')
    ? text
        .split('\n')
        .map((line) => line.trim())
        .join('\n')
    : text;
}

/** As fail2ban-regex shortens what it shows of lines and expressions. */
export function shortened(text: string): string {
  return text.length > 53 ? `${text.slice(0, 50)}...` : text;
}
