import { readdir } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { messageOf } from '../../errors.ts';
import type { ConfFile } from './conf-file.ts';
import { ConfFileCache } from './conf-file-cache.ts';
import type { ConfigTree } from './config-tree.ts';
import { includeTargets } from './includes.ts';
import type { ConfigProblem } from '../jail-spec.ts';

/**
 * Reads every `*.conf` and `*.local` that jails, filters and settings may be made of, and what these include from elsewhere.
 * A directory that isn't there is empty; a file that can't be read is a problem of the tree. Never rejects.
 */
export async function loadConfigTree(options: {
  /** `filters/` as shipped: `jail.d` and `filter.d`. */
  readonly builtinDir: string;
  /** The user's, such as `/etc/fail2ban`. */
  readonly configDir: string;
  /** What was read of `builtinDir` before; undefined: it is read. */
  readonly builtin?: ConfigTree['builtin'] | undefined;
  /** For whoever reads again and again. */
  readonly cache?: ConfFileCache;
}): Promise<ConfigTree> {
  const configDir = resolve(options.configDir);
  const problems: ConfigProblem[] = [];
  const cache = options.cache ?? new ConfFileCache();
  const builtin = options.builtin ?? (await readLayer(resolve(options.builtinDir), cache, problems));
  const user = await readLayer(configDir, cache, problems);
  const asked = new Set([...builtin.keys(), ...user.keys()]);
  const pending = [...user];
  for (let next = pending.pop(); next; next = pending.pop()) {
    for (const path of outsideIncludes(configDir, ...next)) {
      if (asked.has(path)) continue;
      asked.add(path);
      const file = await readConf(join(isAbsolute(path) ? '' : configDir, path), cache, problems);
      if (!file) continue;
      user.set(path, file);
      pending.push([path, file]);
    }
  }
  cache.sweep();
  return { configDir, user, builtin, problems };
}

function outsideIncludes(configDir: string, path: string, file: ConfFile): string[] {
  const includes = file.sections.get('INCLUDES');
  const targets = ['before', 'after'].flatMap((name) =>
    includeTargets(configDir, path, includes?.get(name)?.value ?? ''),
  );
  return targets.flatMap((target) => [target, target.replace(/\.[^./]*$/, '') + '.local']);
}

async function readLayer(
  directory: string,
  cache: ConfFileCache,
  problems: ConfigProblem[],
): Promise<Map<string, ConfFile>> {
  const files = new Map<string, ConfFile>();
  for (const part of ['', 'jail.d', 'filter.d', 'action.d', 'fail2ban.d']) {
    for (const path of await confFiles(join(directory, part), problems)) {
      const file = await readConf(path, cache, problems);
      if (file) files.set(relative(directory, path), file);
    }
  }
  return files;
}

async function confFiles(directory: string, problems: ConfigProblem[]): Promise<string[]> {
  try {
    const names = await readdir(directory);
    return names.filter((name) => /^[^.].*\.(?:conf|local)$/.test(name)).map((name) => join(directory, name));
  } catch (error) {
    if (!isMissing(error)) problems.push(unreadable(directory, error));
    return [];
  }
}

async function readConf(
  path: string,
  cache: ConfFileCache,
  problems: ConfigProblem[],
): Promise<ConfFile | undefined> {
  try {
    return await cache.read(path);
  } catch (error) {
    if (!isMissing(error)) problems.push(unreadable(path, error));
    return undefined;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

function unreadable(path: string, error: unknown): ConfigProblem {
  const encoding = error instanceof TypeError;
  return {
    severity: 'warn',
    where: path,
    message: encoding ? 'is not UTF-8 text and is left out' : `can't be read: ${messageOf(error)}`,
    fix: encoding ? 'save it as UTF-8' : 'make it readable for dock2ban, or remove it',
  };
}
