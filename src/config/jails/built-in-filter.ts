import type { FilterSpec } from '../../filter/spec.ts';
import type { ConfigTree } from '../conf/config-tree.ts';
import type { Call } from '../options/filter-call.ts';
import { filterOptions, hasFilter, readFilter } from './filter-options.ts';

/**
 * Whether a filter's expressions are exactly those that the image's own files make of this call, whatever stands in the
 * user's files and in labels. Of the call's arguments only the mode may matter.
 */
export function isBuiltIn(tree: ConfigTree, { name, options }: Call, spec: FilterSpec): boolean {
  const image: ConfigTree = { ...tree, user: new Map() };
  if (!hasFilter(image, name)) return false;
  const mode = options.get('mode');
  const given = new Map(mode !== undefined && /^[\w-]+$/.test(mode) ? [['mode', mode]] : []);
  const own = filterOptions(readFilter(image, name), given, new Map(), spec.logtype);
  const isOwn = (option: string, value: string): boolean => textOf(own.get(option) ?? '') === textOf(value);
  return (
    isOwn('failregex', spec.failregex.join('\n')) &&
    isOwn('ignoreregex', spec.ignoreregex.join('\n')) &&
    isOwn('prefregex', spec.prefregex ?? '') &&
    isOwn('datepattern', spec.datepattern ?? '') &&
    Number(own.get('maxlines') ?? 1) === spec.maxlines
  );
}

/** Without empty lines. */
function textOf(value: string): string {
  return value
    .split('\n')
    .filter((line) => line !== '')
    .join('\n');
}
