import type { Ban } from '../../jail/ban.ts';
import type { BanIndex } from '../bans/ban-index.ts';
import type { Repair } from '../firewall.ts';
import { isSameTimeout, secondsLeft, slack } from '../bans/timeouts.ts';
import { longestTimeout, type NftBatch } from './batch.ts';
import type { Held, TableState } from './table-state.ts';
import { elementOf, prefixText, type Place } from './names.ts';

/**
 * Puts into `batch` what the sets lack, and what doesn't belong there.
 * @param wasThere whether a set had been written before: what is wrong with it was changed from outside
 * @returns the repairs of members
 */
export function compareSets(
  { listing, places, obsolete, held }: TableState,
  wasThere: (set: string) => boolean,
  index: BanIndex,
  now: number,
  batch: NftBatch,
): Repair[] {
  const repairs: Repair[] = [];
  for (const [set, place] of places) {
    const found = held.get(set);
    const detail = found && compareMembers(place, found, index, now, batch);
    if (detail !== undefined && wasThere(set))
      repairs.push({
        what: 'members',
        family: place.family,
        detail: `set ${set} of table ${listing.table}: ${detail}`,
      });
    if (listing.sets.has(set) && !obsolete.includes(set)) continue;
    for (const [{ ip }, seconds] of membersOf(place, index, now)) batch.add(place.jail, ip, seconds, true);
  }
  return repairs;
}

/**
 * Compares what a set holds with what it should, and puts the difference into `batch`.
 * @returns what was wrong, for people
 */
function compareMembers(
  place: Place,
  { members, asked, mayPrune, changed }: Held,
  index: BanIndex,
  now: number,
  batch: NftBatch,
): string | undefined {
  const { jail } = place;
  const tolerance = slack + (now - asked) / 1000;
  let [live, missing, extra] = [0, 0, 0];
  for (const [{ ip }, seconds] of membersOf(place, index, now)) {
    live += 1;
    if (changed.has(ip) || isSameTimeout(members.get(elementOf(ip).address), seconds, tolerance)) continue;
    missing += 1;
    batch.add(jail, ip, seconds, false);
  }
  for (const address of mayPrune ? members.keys() : []) {
    const ip = prefixText(address, place);
    // Also bans that ended just now: the kernel removes those by itself.
    const isKnown = jail === undefined ? index.of(ip).length > 0 : index.get(jail, ip) !== undefined;
    if (isKnown || changed.has(ip)) continue;
    extra += 1;
    batch.del(jail, ip);
  }
  if (missing + extra === 0) return undefined;
  return `${missing} of ${live} addresses were missing or wrong, ${extra} were unexpected`;
}

/** The bans that a set should hold, each with the seconds it has left, 0 for ever. */
function* membersOf(
  { jail, family, bits }: Place,
  index: BanIndex,
  now: number,
): Generator<[ban: Ban, seconds: number]> {
  // Most jails have no IPv6 bans: a walk through everybody's for each of them takes a quarter of a second at 100,000.
  if (index.kept(jail, family) === 0) return;
  for (const ban of index.live(now)) {
    if (jail === undefined ? index.longest(ban.ip) !== ban : ban.jail !== jail) continue;
    const element = elementOf(ban.ip);
    if (element.family === family && element.bits === bits)
      yield [ban, secondsLeft(ban.until, now, longestTimeout)];
  }
}
