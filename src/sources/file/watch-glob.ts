import { basename, dirname, join } from 'node:path';
import { Wake } from '../../async/wake.ts';
import { expandGlob, isGlob } from './glob.ts';
import { logsOf, packedSuffix } from './rotated-name.ts';

/** Milliseconds between two looks for new files. */
const lookEvery = 2000;

/**
 * The files that match a pattern: yields all of them at first, and again whenever they change. A path without wildcards is
 * yielded whether there is such a file or not. What was rotated is no file of its own: who follows a log reads its rest. Ends when
 * `signal` aborts; never throws.
 * @param onCut called once, when there are more files than are followed
 */
export async function* watchGlob(
  pattern: string,
  signal: AbortSignal,
  onCut: () => void = () => undefined,
): AsyncGenerator<ReadonlySet<string>, void, undefined> {
  if (!isGlob(pattern)) {
    yield new Set([pattern]);
    return;
  }
  let known: ReadonlySet<string> | undefined;
  let wasCut = false;
  while (!signal.aborted) {
    const before = known;
    const { files, isCut } = await expandGlob(pattern);
    if (isCut && !wasCut) onCut();
    wasCut ||= isCut;
    const unpacked = [...files].filter((path) => !packedSuffix.test(path));
    const found = logsAmong(new Set(unpacked), before ?? new Set());
    known = found;
    if (before?.size !== found.size || [...found].some((path) => !before.has(path))) yield found;
    await new Wake().wait(lookEvery, signal);
  }
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
