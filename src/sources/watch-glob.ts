import { glob } from 'node:fs/promises';
import { Wake } from '../wake.ts';

/** Milliseconds between two looks for new files. */
const lookEvery = 2000;
/** What logrotate leaves of old logs is no log to read. */
const compressed = /\.(?:gz|bz2|xz|zst|lz4|zip)$/;

/**
 * The files that match a pattern: yields all of them at first, and again whenever they change. A path without wildcards is
 * yielded whether there is such a file or not. Ends when `signal` aborts; never throws.
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
    const found = await expand(pattern);
    const before = known;
    known = found;
    if (before?.size !== found.size || [...found].some((path) => !before.has(path))) yield found;
    await new Wake().wait(lookEvery, signal);
  }
}

async function expand(pattern: string): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  try {
    for await (const path of glob(pattern)) if (!compressed.test(path)) found.add(path);
  } catch {
    // A folder on the way can't be read: what was found before it stands, and the next look may find more.
  }
  return found;
}
