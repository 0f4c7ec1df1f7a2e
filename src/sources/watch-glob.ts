import { glob } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Wake } from '../wake.ts';
import { logsOf, packedSuffix } from './rotated-name.ts';

/** Milliseconds between two looks for new files. */
const lookEvery = 2000;

/**
 * The files that match a pattern: yields all of them at first, and again whenever they change. A path without wildcards is
 * yielded whether there is such a file or not. What was rotated is no file of its own: who follows a log reads its rest. Ends when
 * `signal` aborts; never throws.
 */
export async function* watchGlob(
  pattern: string,
  signal: AbortSignal,
): AsyncGenerator<ReadonlySet<string>, void, undefined> {
  if (!/[*?[{]/.test(pattern)) {
    yield new Set([pattern]);
    return;
  }
  let known: ReadonlySet<string> | undefined;
  while (!signal.aborted) {
    const before = known;
    const found = logsAmong(await expand(pattern), before ?? new Set());
    known = found;
    if (before?.size !== found.size || [...found].some((path) => !before.has(path))) yield found;
    await new Wake().wait(lookEvery, signal);
  }
}

async function expand(pattern: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  try {
    // Only what is below the part without wildcards: Node doesn't let us look above what we may read.
    const [, cwd = '/', rest = ''] = /^(\/(?:[^*?[{]*\/)?)(.*)$/.exec(pattern) ?? [];
    for await (const path of glob(rest, { cwd })) if (!packedSuffix.test(path)) found.add(join(cwd, path));
  } catch {
    // A folder on the way can't be read: what was found before it stands, and the next look may find more.
  }
  return found;
}

/**
 * The logs among files: without what was rotated of one of them, but with a log that is gone as long as what was rotated of it
 * is there, which may be all that there is of it at the moment.
 */
function logsAmong(found: ReadonlySet<string>, known: ReadonlySet<string>): ReadonlySet<string> {
  const logs = new Set<string>();
  for (const path of found) {
    const folder = dirname(path);
    const of = logsOf(basename(path))
      .map((name) => join(folder, name))
      .find((log) => found.has(log) || known.has(log));
    logs.add(of ?? path);
  }
  return logs;
}
