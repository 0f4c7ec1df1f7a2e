import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfigTree } from '../../src/config/conf/load-config-tree.ts';
import { filterOptions, readFilter } from '../../src/config/jails/filter-options.ts';
import type { FilterSpec } from '../../src/filter/spec.ts';
import type { Fail2banTree } from './fail2ban-tree.ts';

/** The filters that have samples, resolved by src/config. */
export interface SampleFilters {
  readonly names: readonly string[];
  spec(name: string, options: ReadonlyMap<string, string>): FilterSpec;
}

/**
 * Reads a fail2ban tree's filters, and those that its tests bring with them, which include files of a source checkout:
 * for these a merged copy is made.
 */
export async function sampleFilters({ config, samples }: Fail2banTree): Promise<SampleFilters> {
  const merged = await mkdtemp(join(tmpdir(), 'dock2ban-filters-'));
  try {
    await cp(join(config, 'filter.d'), join(merged, 'filter.d'), { recursive: true, dereference: true });
    const own = join(samples, '../../config/filter.d');
    const names = (await readdir(own)).filter((name) => name.startsWith('zzz-'));
    for (const name of names) {
      const text = await readFile(join(own, name), 'utf8');
      await writeFile(join(merged, 'filter.d', name), text.replace(/^before = .*\//gm, 'before = '));
    }
    const tree = await loadConfigTree({ configDir: merged, builtinDir: join(merged, 'none') });
    const filters = (await readdir(join(merged, 'filter.d')))
      .filter((name) => name.endsWith('.conf') && !name.endsWith('common.conf'))
      .map((name) => name.slice(0, -'.conf'.length));
    return {
      names: filters.toSorted(),
      spec: (name, options) => specOf(name, filterOptions(readFilter(tree, name), options, new Map())),
    };
  } finally {
    await rm(merged, { recursive: true });
  }
}

/** A filter of its options, once they are resolved. */
export function specOf(name: string, options: ReadonlyMap<string, string>): FilterSpec {
  const list = (option: string): string[] =>
    (options.get(option) ?? '').split('\n').filter((line) => line !== '');
  const single = (option: string): string | undefined => options.get(option)?.trim() || undefined;
  return {
    name,
    failregex: list('failregex'),
    ignoreregex: list('ignoreregex'),
    prefregex: single('prefregex'),
    datepattern: single('datepattern'),
    maxlines: Number(single('maxlines') ?? 1),
    usedns: 'warn',
    logtype: options.get('logtype') === 'journal' ? 'journal' : 'file',
  };
}
