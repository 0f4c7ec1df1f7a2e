import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, resolve } from 'node:path';
import { parseConfFile } from '../../config/conf/conf-file.ts';
import type { ConfigTree } from '../../config/conf/config-tree.ts';
import { readFilter, type FilterDefinition } from '../../config/jails/filter-options.ts';
import { loadConfigTree } from '../../config/conf/load-config-tree.ts';

/** A filter of a file anywhere. */
export interface FilterFile {
  readonly definition: FilterDefinition;
  /** The configuration that it belongs to; undefined: none, it stands for itself. */
  readonly configDir: string | undefined;
}

/**
 * Reads a filter by its path: in a `filter.d` with its `.local` and all, elsewhere this one file and what it includes.
 * @param extensions to try, in this order
 * @returns undefined if there is no such file
 * @throws ConfigError
 */
export async function readFilterFile(
  path: string,
  extensions: readonly string[],
  builtinDir: string,
): Promise<FilterFile | undefined> {
  for (const extension of extensions) {
    const file = resolve(path + extension);
    if (!(await isFile(file))) continue;
    const directory = dirname(file);
    const name = basename(file, extname(file));
    if (basename(directory) !== 'filter.d')
      return { definition: readFilter(await treeAround(file, name, builtinDir), name), configDir: undefined };
    const configDir = dirname(directory);
    return { definition: readFilter(await loadConfigTree({ builtinDir, configDir }), name), configDir };
  }
  return undefined;
}

/** Whether it is there and a plain file. */
export async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** The directory of a file, as if it were a `filter.d` in which no other file adds to this one. */
async function treeAround(file: string, name: string, builtinDir: string): Promise<ConfigTree> {
  const tree = await loadConfigTree({ builtinDir, configDir: dirname(file) });
  const beside = [...tree.user].filter(([path]) => !path.includes('/') && !path.startsWith(`${name}.`));
  const user = new Map(beside.map(([path, conf]) => [`filter.d/${path}`, conf]));
  for (const [path, conf] of tree.user) if (path.startsWith('/')) user.set(path, conf);
  user.set(`filter.d/${name}.conf`, parseConfFile(await readFile(file, 'utf8'), file));
  return { ...tree, builtin: new Map(), user };
}
