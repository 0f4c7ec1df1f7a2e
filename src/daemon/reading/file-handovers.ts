import { covers, type FileReading } from './file-readers.ts';
import type { FollowedPattern } from './followed-pattern.ts';

/** A jail's pending move of one file to another reading, made when that one stands where the current one does. */
export interface Handover {
  readonly jail: string;
  readonly path: string;
  /** Keys of the readings. */
  readonly from: string;
  readonly to: string;
}

/** Readings by key, before and after a change. */
export interface ReadingChange {
  readonly before: ReadonlyMap<string, FileReading>;
  readonly after: ReadonlyMap<string, FileReading>;
  /** The running ones. */
  readonly followed: ReadonlyMap<string, FollowedPattern>;
  /** Moves of an earlier change that are still to be made. */
  readonly pending: readonly Handover[];
}

/**
 * Sees to it that jails whose `logpath` or way to read changes go on in each file where they are: a reading that is new for them
 * begins there; if it runs already, for others, and stands elsewhere, the jail is given the file by its old one for as long.
 */
export function handOver({ before, after, followed, pending }: ReadingChange): Handover[] {
  const handovers: Handover[] = [];
  /** By key of a new reading and path: the reading that it continues. */
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

/** The key of the reading from which a jail gets a file after the change. */
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
