import { ConfigError } from '../conf/config-error.ts';
import { mergeFiles, type ConfigSet } from '../conf/config-set.ts';
import { fileAt, filterNames, layers, type ConfigTree } from '../conf/config-tree.ts';
import { expandIncludes } from '../conf/includes.ts';
import { interpolated, interpolatedFrom } from '../conf/interpolation.ts';
import type { ConfigProblem } from '../jail-spec.ts';
import { nearest } from '../options/nearest.ts';
import { substituteTags } from '../conf/tags.ts';

/** The options that make up a filter; they may stand in a jail too. */
export const filterOptionNames = [
  'failregex',
  'ignoreregex',
  'prefregex',
  'datepattern',
  'maxlines',
  'journalmatch',
  'usedns',
  'stream',
] as const;

/** A filter's files, merged. */
export interface FilterDefinition {
  readonly name: string;
  readonly set: ConfigSet;
  /** The file that counts as its place, for messages. */
  readonly file: string;
  readonly problems: readonly ConfigProblem[];
}

/** Whether `filter.d` has a filter of this name. */
export function hasFilter(tree: ConfigTree, name: string): boolean {
  return ['conf', 'local'].some((extension) => fileAt(tree, `filter.d/${name}.${extension}`) !== undefined);
}

/**
 * Reads a filter with its includes and `.local`.
 *
 * @throws ConfigError if there is no such filter
 */
export function readFilter(tree: ConfigTree, name: string): FilterDefinition {
  const paths = layers(new Set([...tree.builtin.keys(), ...tree.user.keys()]), `filter.d/${name}`);
  const first = paths[0];
  if (first === undefined) {
    const meant = nearest(name, filterNames(tree));
    throw new ConfigError(
      `there is no filter ${name}`,
      meant ? `did you mean ${meant}?` : `name a file of ${tree.configDir}/filter.d, or give failregex`,
    );
  }
  const { files, problems } = expandIncludes(tree, paths);
  return { name, set: mergeFiles(files), file: fileAt(tree, first)?.file ?? first, problems };
}

/**
 * All options of a filter as a jail uses it, every `%(…)s` and `<tag>` resolved: the filter's arguments stand above
 * its `[Init]`, that above its `[Definition]`. Of the filter's own options, those that the jail sets itself are left
 * out (unless they are arguments): the jail's hold.
 *
 * @param given `filter = name[given]`
 * @param jailOptions the jail's options, as the filter may refer to them
 * @throws ConfigError
 */
export function filterOptions(
  filter: FilterDefinition,
  given: ReadonlyMap<string, string>,
  jailOptions: ReadonlyMap<string, string>,
  logtype: 'file' | 'journal' = 'file',
): Map<string, string> {
  const { set } = filter;
  const own = new Map(given);
  if (!own.get('logtype') && !set.sections.get('Definition')?.has('logtype')) own.set('logtype', logtype);
  for (const name of set.sections.get('Init')?.keys() ?? []) {
    const value = interpolated(set, 'Init', name);
    if (value === undefined) continue;
    if (!name.startsWith('known/')) own.set(`known/${name}`, value);
    if (!own.has(name)) own.set(name, value);
  }
  const above = new Map([...jailOptions, ...own]);
  const options = new Map<string, string>();
  for (const name of set.sections.has('Definition') ? filterOptionNames : []) {
    const value = above.has(name) ? undefined : interpolated(set, 'Definition', name, above);
    if (value !== undefined) options.set(name, value);
  }
  for (const [name, value] of own) options.set(name, value);
  return substituteTags(options, (name) => interpolatedFrom(set, 'Definition', name, above));
}
