import { covers, type FileReading } from './file-readers.ts';
import type { FollowedPattern } from './followed-pattern.ts';

/** A file that a jail is to be given by another reading, as soon as that stands where the one does that gives it now. */
export interface Handover {
  readonly jail: string;
  readonly path: string;
  /** Keys of the readings. */
  readonly from: string;
  readonly to: string;
}

/** Readings by key, as they are and as they shall be. */
export interface ReadingChange {
  readonly before: ReadonlyMap<string, FileReading>;
  readonly after: ReadonlyMap<string, FileReading>;
  /** Those that run. */
  readonly followed: ReadonlyMap<string, FollowedPattern>;
  /** What of an earlier change hasn't happened yet. */
  readonly pending: readonly Handover[];
}

/**
 * Sees to it that jails whose `logpath` or way to read changes go on in each file where they are: a reading that is new for them
 * begins there; if it runs already, for others, and stands elsewhere, the jail is given the file by its old one for as long.
 */
export function handOver({ before, after, followed, pending }: ReadingChange): Handover[] {
  const handovers: Handover[] = [];
  /** By key of a new reading and path: the reading that it goes on from. */
  const begun = new Map<string, FollowedPattern>();
  for (const [key, { readers }] of before) {
    for (const path of followed.get(key)?.files ?? []) {
      for (const { jail, readsElsewhere } of readers) {
        if (readsElsewhere(path)) continue;
        const { name } = jail.jail;
        const isLate = (one: Handover): boolean => one.jail === name && one.path === path && one.to === key;
        const from = pending.find(isLate)?.from ?? key;
        const old = followed.get(from);
        const to = readingOf(name, path, after, followed);
        if (!old || !to || to === from) continue;
        const other = followed.get(to) ?? begun.get(`${to}\n${path}`);
        if (other) {
          if (!old.isLevelWith(other, path)) handovers.push({ jail: name, path, from, to });
        } else {
          old.handOver(path, after.get(to)!.options.id);
          begun.set(`${to}\n${path}`, old);
        }
      }
    }
  }
  return handovers;
}

/** The key of the reading by which a jail shall be given a file. */
function readingOf(
  jail: string,
  path: string,
  readings: ReadonlyMap<string, FileReading>,
  followed: ReadonlyMap<string, FollowedPattern>,
): string | undefined {
  for (const [key, { readers, options }] of readings) {
    if (!readers.some((one) => one.jail.jail.name === jail && !one.readsElsewhere(path))) continue;
    if (followed.get(key)?.files.includes(path) ?? covers(options, path)) return key;
  }
  return undefined;
}
