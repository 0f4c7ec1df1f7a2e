import { extname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * For little memory, measured with 300 containers and under a flood of 500,000 lines per second:
 * - `--max-semi-space-size`: the young generation stays small. With a limit for the old one, it is collected earlier, too.
 * - `--no-allocation-site-pretenuring`: otherwise V8 comes to make the lines of a flood in the old generation, where they hold on to their
 *   texts until all of it is collected: a fifth of the time went there, and 45 MB.
 * - `--no-sparkplug`: no code of the quick compiler, which is in use for seconds only; 7 MB less, and no slower.
 *
 * `--optimize-for-size` would save 10 MB more and cost 40 % of the matching's speed.
 */
export const nodeFlags: readonly string[] = [
  '--max-semi-space-size=1',
  '--max-old-space-size=1024',
  '--no-allocation-site-pretenuring',
  '--no-sparkplug',
];

/**
 * For glibc's malloc: one arena for all threads; and what is larger, like the 64 KiB that a connection is read by, goes back to the
 * system when it is freed, instead of leaving holes.
 */
export const mallocSettings: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '32768',
};

/** The folder of the program: `dist` or `src`, filters, packages. */
export const programFolder = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Replaces this process by another of our programs (same pid): without the parser of the command line and with flags and permissions of
 * its own, which Node takes only at its start. Measured in the lab: 12 MB less resident memory.
 *
 * @param program below `src`, without its extension
 * @param permissions beside `--permission`
 */
export function relaunch(program: string, permissions: readonly string[], args: readonly string[]): void {
  const file = fileURLToPath(new URL(`../${program}${extname(import.meta.url)}`, import.meta.url));
  // The signal would start the inspector.
  const flags = [...nodeFlags, '--permission', ...permissions, '--disable-sigusr1'];
  const argv = [process.execPath, ...flags, file, ...args];
  process.execve!(process.execPath, argv, { ...process.env, ...mallocSettings });
}

/**
 * Allows paths, and what is in them whether they are there yet or not. Node's tree of paths (src/permission/fs_permission.cc) forgets a
 * folder that it learns of after something in it, or whose name begins that of another: the first are left out, the second are
 * allowed by the beginning of their names.
 */
export function allowPaths(what: 'read' | 'write', paths: readonly string[]): string[] {
  const outer: string[] = [];
  for (const path of paths.map((one) => resolve(one)).toSorted()) {
    if (!outer.some((one) => path === one || path.startsWith(one.endsWith('/') ? one : `${one}/`)))
      outer.push(path);
  }
  const beginsAnother = (path: string) => outer.some((one) => one !== path && one.startsWith(path));
  return outer.map((path) => {
    const end = path.endsWith('/') || beginsAnother(path) ? '*' : '/*';
    return `--allow-fs-${what}=${path}${end}`;
  });
}
