import { constants } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { FilePosition } from './file-position.ts';
import { compareRotations, numberOf, packedSuffix, rotationOf } from './rotated-name.ts';
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
/** Symbolic links on the way from a path to its file. */
const mostLinks = 8;
/** Rotation may go on meanwhile: so often, and so many milliseconds later, it is looked at again. */
const tries = 10;
const pause = 5;

interface Sibling {
  readonly path: string;
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
 * @param within folders that no file may be outside of, wherever links lead
 */
export async function openRotated(
  path: string,
  place: FilePosition,
  until: TailedFile | undefined,
  known: ReadonlySet<string>,
  within?: readonly string[],
): Promise<RotatedFiles> {
  for (let left = tries; ; left--) {
    const siblings = await list(path, place.ino);
    const files = await openAll(siblings, within);
    const again = await list(path, place.ino);
    const isSame = again.map(pathAndKey).join('\n') === siblings.map(pathAndKey).join('\n');
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

/** The siblings that count, the oldest first: beside the log, and if its path is a symbolic link, beside the file that it leads to. */
async function list(path: string, ino: number): Promise<Sibling[]> {
  const target = await targetOf(path);
  const beside = await besides(dirname(path), [basename(path)], ino);
  if (target !== path)
    beside.push(...(await besides(dirname(target), [basename(target), basename(path)], ino)));
  return beside.toSorted(olderFirst).slice(-mostFiles);
}

/** @param names of the log: the first that of its file, which is no sibling */
async function besides(
  folder: string,
  names: readonly [string, ...string[]],
  ino: number,
): Promise<Sibling[]> {
  const [log] = names;
  const entries = await readdir(folder).catch(() => []);
  const found = await Promise.all(
    entries.map(async (name) => {
      const rotation = names.map((one) => rotationOf(name, one)).find((one) => one !== undefined);
      if (name === log || packedSuffix.test(name)) return undefined;
      if (rotation === undefined && entries.length > mostEntries) return undefined;
      const path = join(folder, name);
      const stats = await lstat(path).catch(() => undefined);
      if (!stats?.isFile()) return undefined;
      const sibling: Sibling = { path, ino: stats.ino, key: keyOf(stats), written: stats.mtimeMs, rotation };
      return { sibling, numbered: numberOf(name, log) };
    }),
  );
  const siblings = found.filter((one) => one !== undefined);
  // Numbers in the middle of names may tell instances of a program apart, unless the log itself was renamed like that.
  const areNumbered = siblings.some(({ sibling, numbered }) => numbered !== undefined && sibling.ino === ino);
  return siblings.flatMap(({ sibling, numbered }) => {
    if (sibling.rotation !== undefined) return [sibling];
    if (areNumbered && numbered !== undefined) return [{ ...sibling, rotation: numbered }];
    return sibling.ino === ino ? [sibling] : [];
  });
}

/** Where a path leads to, over symbolic links, also if there is nothing. */
async function targetOf(path: string): Promise<string> {
  let target = path;
  for (let links = 0; links < mostLinks; links++) {
    const next = await readlink(target).catch(() => undefined);
    if (next === undefined) break;
    target = resolve(dirname(target), next);
  }
  return target;
}

function pathAndKey({ path, key }: Sibling): string {
  return `${path}/${key}`;
}

/** As it was when it was opened, whatever its name stood for before. */
interface Opened extends Sibling {
  readonly file: TailedFile;
}

async function openAll(siblings: readonly Sibling[], within?: readonly string[]): Promise<Opened[]> {
  const opened = new Map<string, Opened>();
  for (const { path, rotation } of siblings) {
    try {
      const file = await TailedFile.open(path, constants.O_NOFOLLOW, within);
      const { ino, key, written } = file;
      if (opened.has(key)) await file.close();
      else opened.set(key, { path, rotation, ino, key, written, file });
    } catch {
      // It is gone again, can't be read, is packed, or outside.
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
