import { createHash } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, relative } from 'node:path';

/** Where things live that are slow to make: `$XDG_CACHE_HOME/dock2ban`, by default `~/.cache/dock2ban`. */
export function cacheDirectory(): string {
  const configured = process.env['XDG_CACHE_HOME'];
  const base =
    configured !== undefined && configured.startsWith('/') ? configured : join(homedir(), '.cache');
  return join(base, 'dock2ban');
}

/** A short name for everything that goes into making something. */
export function recipeHash(...parts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest('hex').slice(0, 16);
}

/** Hashes files and whole folders by name and content. What isn't there counts as absent. */
export async function hashFiles(root: string, paths: readonly string[]): Promise<string> {
  const parts: (string | Buffer)[] = [];
  for (const path of paths) {
    for (const file of await filesBelow(join(root, path))) {
      parts.push(relative(root, file), await readFile(file));
    }
  }
  return recipeHash(...parts);
}

async function filesBelow(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return [];
    if (code === 'ENOTDIR') return [path];
    throw error;
  }
}

/**
 * Makes a file or folder once. `make` writes to the temporary path it is given; the result is renamed into place, so that
 * a killed run leaves nothing half made. Older versions (same `name`, another hash) are removed.
 *
 * @param hash names the recipe; another hash makes it anew
 */
export async function cached(
  name: string,
  hash: string,
  make: (path: string) => Promise<void>,
): Promise<string> {
  const folder = cacheDirectory();
  const path = join(folder, `${name}-${hash}`);
  if (await exists(path)) return path;
  await mkdir(folder, { recursive: true });
  for (const old of await readdir(folder)) {
    if (old.startsWith(`${name}-`)) await rm(join(folder, old), { recursive: true, force: true });
  }
  const draft = join(folder, `${name}-${hash}.draft`);
  await make(draft);
  await rename(draft, path);
  return path;
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
