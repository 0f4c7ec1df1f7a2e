import type { FilterSpec } from '../../filter/spec.ts';
import { ConfigError, orElse } from '../conf/config-error.ts';
import type { ConfigTree } from '../conf/config-tree.ts';
import { parseCall, type Call } from '../options/filter-call.ts';
import { isBuiltIn } from './built-in-filter.ts';
import { filterOptions, hasFilter, readFilter, type FilterDefinition } from './filter-options.ts';
import type { JailDefinitions } from './jail-definitions.ts';
import { noEdits } from './jail-edits.ts';
import { changed } from './list-change.ts';
import { parseJailOption, type JailOption } from '../options/jail-options.ts';
import { JailReader } from './jail-reader.ts';
import type { ConfigProblem } from '../jail-spec.ts';
import type { Label } from '../labels/label.ts';

/** A jail's filter, and how it leaves the jail's other options to be read. */
export interface JailFilter {
  readonly spec: FilterSpec;
  /** Groups of journal matches. */
  readonly journalMatches: readonly (readonly string[])[];
  readonly reader: JailReader;
  /** The file that defines the filter; undefined where only `failregex` does. */
  readonly file: string | undefined;
  /** What was wrong in the filter's files and yet leaves it usable. */
  readonly problems: readonly ConfigProblem[];
}

/**
 * Resolves the filter of a jail: its `filter = name[arguments]`, or `failregex` alone where no such filter exists. The
 * jail's own failregex, datepattern, … stand in for the filter's, as in fail2ban.
 *
 * @throws ConfigError; its `where` is set if a file is to blame
 */
export function jailFilter(
  tree: ConfigTree,
  definitions: JailDefinitions,
  name: string,
  labels: ReadonlyMap<JailOption, Label>,
  edits = noEdits,
): JailFilter {
  const first = new JailReader(definitions, name, labels, new Map(), edits);
  const call = calledFilter(tree, first);
  const logtype = first.text('backend')?.startsWith('systemd') ? 'journal' : 'file';
  if (!call) return finish(name, new Map([['logtype', logtype]]), first);
  const definition = located(
    () => readFilter(tree, call.name),
    first.label('filter') ? undefined : first.placeOf('filter'),
  );
  const known = located(() => filterOptions(definition, call.options, new Map(), logtype), definition.file);
  const reader = new JailReader(definitions, name, labels, known, edits);
  const options = located(
    () => filterOptions(definition, call.options, reader.forFilter(), logtype),
    definition.file,
  );
  const filter = finish(call.name, options, reader, definition);
  return isBuiltIn(tree, call, filter.spec) ? { ...filter, spec: { ...filter.spec, builtIn: true } } : filter;
}

/** Undefined: none is named but by default, and none of that name exists, while failregex is given. */
function calledFilter(tree: ConfigTree, reader: JailReader): Call | undefined {
  const text = reader.text('filter');
  if (text === undefined) return undefined;
  const byLabel = reader.label('filter') !== undefined;
  const call = located(() => parseCall(text), byLabel ? undefined : reader.placeOf('filter'));
  const explicit = byLabel || reader.setByOwnSection('filter');
  if (!explicit && !hasFilter(tree, call.name) && reader.text('failregex') !== undefined) return undefined;
  const mode = reader.label('mode')?.value;
  if (mode === undefined || call.options.has('mode')) return call;
  return { name: call.name, options: new Map([...call.options, ['mode', mode]]) };
}

function finish(
  name: string,
  filter: ReadonlyMap<string, string>,
  reader: JailReader,
  definition?: FilterDefinition,
): JailFilter {
  // A filter's arguments are kept beside what the jail says: lists add up, of single values the jail's stands.
  const list = (option: 'failregex' | 'ignoreregex'): readonly string[] =>
    changed(
      [filter.get(option), reader.text(option)].flatMap((text) => lines(text ?? '')),
      reader.edits[option],
    );
  const single = (option: JailOption): string | undefined => {
    const text = reader.text(option) ?? filter.get(option);
    return text === undefined || text.trim() === '' ? undefined : text;
  };
  const failregex = list('failregex');
  if (failregex.length === 0) {
    throw new ConfigError(`filter ${name} has no failregex`, 'set failregex, or name another filter');
  }
  const timeZone = single('logtimezone');
  // The filter's stands for the filter's expressions.
  const ownRegex = reader.text('failregex') !== undefined;
  const stream = parsedOr(reader, 'stream', ownRegex ? reader.text('stream') : single('stream'), 'all');
  const spec: FilterSpec = {
    name,
    failregex,
    ignoreregex: list('ignoreregex'),
    prefregex: single('prefregex'),
    datepattern: single('datepattern'),
    maxlines: parsedOr(reader, 'maxlines', single('maxlines'), 1),
    usedns: parsedOr(reader, 'usedns', single('usedns'), 'warn'),
    logtype: filter.get('logtype') === 'journal' ? 'journal' : 'file',
    ...(stream !== 'all' && { stream }),
    ...(timeZone !== undefined && { logTimeZone: parsedOr(reader, 'logtimezone', timeZone, 0) }),
  };
  const journalMatches = parsedOr(reader, 'journalmatch', single('journalmatch'), []);
  return { spec, journalMatches, reader, file: definition?.file, problems: definition?.problems ?? [] };
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

function parsedOr<Name extends 'maxlines' | 'usedns' | 'stream' | 'logtimezone' | 'journalmatch', T>(
  reader: JailReader,
  option: Name,
  text: string | undefined,
  otherwise: T,
): ReturnType<typeof parseJailOption<Name>> | T {
  if (text === undefined) return otherwise;
  try {
    return parseJailOption(option, text);
  } catch (error) {
    reader.report(error, option, "fail2ban's default is used instead");
    return otherwise;
  }
}

function located<T>(run: () => T, where: string | undefined): T {
  return orElse(run, (error) => {
    throw error.where === undefined ? new ConfigError(error.message, error.fix, where) : error;
  });
}
