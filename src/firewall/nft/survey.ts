import type { Ban } from '../../jail/ban.ts';
import { elementOf, setOf, type Place } from './names.ts';

/** What a set should hold, in short. */
export interface Surveyed {
  readonly place: Place;
  /** One whose element must be there; undefined: every one may end any moment. */
  witness: Ban | undefined;
}

/** Milliseconds that a ban must have left, to say that the kernel must hold it. */
const certain = 5000;

/** Whether a ban surely hasn't ended in the kernel by the time it is asked. */
export function isCertain({ until }: Ban, now: number): boolean {
  return until === undefined || until > now + certain;
}

/** Which sets live bans need, each jail's and those of all. */
export function surveyOf(bans: Iterable<Ban>, now: number): Map<string, Surveyed> {
  const jails = new Map<string | undefined, Map<number, Surveyed>>();
  for (const ban of bans) {
    const { family, bits } = elementOf(ban.ip);
    const isWitness = isCertain(ban, now);
    for (const jail of [ban.jail, undefined]) {
      let lengths = jails.get(jail);
      if (!lengths) jails.set(jail, (lengths = new Map()));
      // Unlike a name, this costs no string for each of a hundred thousand bans.
      const length = family * 1000 + bits;
      let surveyed = lengths.get(length);
      if (!surveyed) {
        surveyed = { place: { jail, family, bits }, witness: undefined };
        lengths.set(length, surveyed);
      }
      if (isWitness) surveyed.witness = ban;
    }
  }
  const sets = [...jails.values()].flatMap((lengths) => [...lengths.values()]);
  return new Map(sets.map((surveyed) => [setOf(surveyed.place), surveyed]));
}
