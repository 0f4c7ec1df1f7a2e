import { constants } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { FilePosition } from './file-position.ts';
import { compareRotations, packedSuffix, rotationOf } from './rotated-name.ts';
import { keyOf, TailedFile } from './tailed-file.ts';

/** What rotation made of a log since a place in it was reached. */
export interface RotatedFiles {
  /** Not yet read, the oldest first, each at the place where its unread part begins. The caller closes them. */
  readonly files: readonly TailedFile[];
  /** The file that the place is in is there, or a copy, and comes first. Else lines may be missing. */
  readonly isComplete: boolean;
  /** That is a copy, which the rest of the file follows on: the log was copied and cut short. */
  readonly isCopy: boolean;
}

/** In a folder with more entries, a renamed file is looked for only among those whose names tell that they were rotated. */
const mostEntries = 1000;
/** More than these were not rotated while we looked the other way. */
const mostFiles = 64;
/** Rotation may go on meanwhile: so often, and so many milliseconds later, it is looked at again. */
const tries = 10;
const pause = 5;

interface Sibling {
  readonly name: string;
  readonly ino: number;
  readonly key: string;
  /** Milliseconds. */
  readonly written: number;
  /** What was put into its name; undefined: its name doesn't tell that it was rotated. */
  readonly rotation: string | undefined;
}

/**
 * Opens what is beside a log and holds lines of it that were logged after a place was reached, and before a given file was
 * written; or all of them.
 * @param until is not among the files
 * @param known keys of files that were read whole
 */
export async function openRotated(
  path: string,
  place: FilePosition,
  until: TailedFile | undefined,
  known: ReadonlySet<string>,
): Promise<RotatedFiles> {
  for (let left = tries; ; left--) {
    const siblings = await list(path, place.ino);
    const files = await openAll(siblings, path);
    const again = await list(path, place.ino);
    const isSame = again.map(nameAndKey).join('/') === siblings.map(nameAndKey).join('/');
    try {
      if (isSame || left === 0) return await choose(files, place, until, known);
    } catch (error) {
      await Promise.all(files.map(({ file }) => file.close()));
      throw error;
    }
    await Promise.all(files.map(({ file }) => file.close()));
    await delay(pause);
  }
}

/** The siblings that count, the oldest first. */
async function list(path: string, ino: number): Promise<Sibling[]> {
  const folder = dirname(path);
  const log = basename(path);
  const names = await readdir(folder).catch(() => []);
  const siblings = await Promise.all(
    names.map(async (name): Promise<Sibling | undefined> => {
      const rotation = rotationOf(name, log);
      if (name === log || packedSuffix.test(name)) return undefined;
      if (rotation === undefined && names.length > mostEntries) return undefined;
      const stats = await lstat(join(folder, name)).catch(() => undefined);
      if (!stats?.isFile() || (rotation === undefined && stats.ino !== ino)) return undefined;
      return { name, ino: stats.ino, key: keyOf(stats), written: stats.mtimeMs, rotation };
    }),
  );
  return siblings
    .filter((sibling) => sibling !== undefined)
    .toSorted(
      (a, b) =>
        a.written - b.written || compareRotations(a.rotation ?? '', b.rotation ?? '') || a.ino - b.ino,
    )
    .slice(-mostFiles);
}

function nameAndKey({ name, key }: Sibling): string {
  return `${name}/${key}`;
}

/** As it was when it was opened, whatever its name stood for before. */
interface Opened extends Sibling {
  readonly file: TailedFile;
}

async function openAll(siblings: readonly Sibling[], path: string): Promise<Opened[]> {
  const opened = new Map<string, Opened>();
  for (const { name, rotation } of siblings) {
    try {
      const file = await TailedFile.open(join(dirname(path), name), constants.O_NOFOLLOW);
      const { ino, key, written } = file;
      if (opened.has(key)) await file.close();
      else opened.set(key, { name, rotation, ino, key, written, file });
    } catch {
      // It is gone again, can't be read, or is packed.
    }
  }
  return [...opened.values()].toSorted(olderFirst);
}

function olderFirst(a: Sibling, b: Sibling): number {
  return a.written - b.written || compareRotations(a.rotation ?? '', b.rotation ?? '') || a.ino - b.ino;
}

async function choose(
  all: readonly Opened[],
  place: FilePosition,
  until: TailedFile | undefined,
  known: ReadonlySet<string>,
): Promise<RotatedFiles> {
  // It may have been rotated while we looked, and what is newer comes after it.
  const end = all.findIndex(({ key }) => key === until?.key);
  const opened = end < 0 ? all : all.slice(0, end);
  const index = await originOf(opened, place);
  const origin = opened[index];
  const newer: Opened[] = [];
  for (const [at, one] of opened.entries()) {
    const isNewer = origin ? at > index : one.written > place.written;
    if (!isNewer || known.has(one.key) || (await one.file.size()) === 0) continue;
    // The copy comes first, the truncation then: until that is seen, the lines are taken from the file itself.
    if (until && (await one.file.mayCopy(until))) break;
    newer.push(one);
  }
  const chosen = origin ? [origin, ...newer] : newer;
  await Promise.all(all.filter((one) => !chosen.includes(one)).map(({ file }) => file.close()));
  await origin?.file.seek(place);
  return {
    files: chosen.map(({ file }) => file),
    isComplete: origin !== undefined,
    isCopy: origin !== undefined && origin.ino !== place.ino,
  };
}

/** The file that a place is in, else its newest copy. */
async function originOf(opened: readonly Opened[], place: FilePosition): Promise<number> {
  const own = opened.findIndex(({ ino }) => ino === place.ino);
  if (own >= 0 && (await fits(opened[own]!, place))) return own;
  // Nothing was read: there is nothing that a copy could be known by.
  if (place.offset === 0) return -1;
  for (let index = opened.length - 1; index >= 0; index--) {
    if (await fits(opened[index]!, place)) return index;
  }
  return -1;
}

function fits({ file }: Opened, place: FilePosition): Promise<boolean> {
  return file.fits(place).catch(() => false);
}
