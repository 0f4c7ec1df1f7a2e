import type { Ban } from '../../jail/ban.ts';
import type { BanKey, GuardedJail, Repair } from '../firewall.ts';
import { directFamilies, netdevElements } from './ingress-layout.ts';
import { timeoutUntil } from './batch.ts';
import { elementOf, prefixText, setOf, type Place } from './names.ts';

/** What is to happen to one set. */
export interface Changes {
  /** Taken out, whether or not they are there. */
  readonly gone: string[];
  /** Then put in: address → seconds left, 0 for ever. */
  readonly added: Map<string, number>;
}

/** Seconds by which an element's end may differ from its ban's: both count whole seconds. */
const tolerance = 5;

/** The sets that there must be: for the usual prefix lengths of each jail, and for whatever is banned. */
export function netdevPlaces(jails: readonly GuardedJail[], bans: Iterable<Ban>): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  for (const jail of jails) {
    for (const family of directFamilies(jail)) {
      const place = { jail: jail.name, family, bits: family === 4 ? 32 : 64 };
      places.set(setOf(place), place);
    }
  }
  const seen = new Map<string, Set<number>>();
  for (const { jail, ip } of bans) {
    const { family, bits } = elementOf(ip);
    // Unlike a name, this costs no string for each of a hundred thousand bans.
    const length = family * 1000 + bits;
    let lengths = seen.get(jail);
    if (!lengths) seen.set(jail, (lengths = new Set()));
    if (lengths.has(length)) continue;
    lengths.add(length);
    const place = { jail, family, bits };
    places.set(setOf(place), place);
  }
  return places;
}

/** What sets should hold: set → address → seconds left, 0 for ever. */
export function netdevMembers(bans: Iterable<Ban>, now: number): Map<string, Map<string, number>> {
  const members = new Map<string, Map<string, number>>();
  for (const { jail, ip, until } of bans) {
    if (until !== undefined && until <= now) continue;
    const { family, address, bits } = elementOf(ip);
    const set = setOf({ jail, family, bits });
    let elements = members.get(set);
    if (!elements) members.set(set, (elements = new Map()));
    elements.set(address, timeoutUntil(until, now));
  }
  return members;
}

/**
 * Tells which sets don't hold what they should.
 * @param slack seconds that reading took
 * @param isChanging whether a ban is on its way in or out
 */
export function compareNetdevMembers(
  sets: ReadonlyMap<string, Place>,
  wanted: ReadonlyMap<string, ReadonlyMap<string, number>>,
  held: ReadonlyMap<string, ReadonlyMap<string, number>>,
  { slack, isChanging }: { readonly slack: number; readonly isChanging: (key: BanKey) => boolean },
): Repair[] {
  const most = tolerance + slack;
  return [...sets].flatMap(([set, place]): Repair[] => {
    const [should, does] = [wanted.get(set) ?? new Map<string, number>(), held.get(set) ?? new Map()];
    const isSettled = (address: string): boolean =>
      !isChanging({ jail: place.jail ?? '', ip: prefixText(address, place) });
    const missing = [...should].filter(
      // What ends in this moment may be gone already.
      ([address, seconds]) =>
        (seconds === 0 || seconds > most) && !isNear(does.get(address), seconds, most) && isSettled(address),
    ).length;
    const extra = [...does].filter(
      ([address, seconds]: [string, number]) =>
        !should.has(address) && (seconds === 0 || seconds > most) && isSettled(address),
    ).length;
    if (missing + extra === 0) return [];
    const detail = `set ${set} at ingress: ${missing} of ${should.size} addresses were missing or wrong, ${extra} did not belong there`;
    return [{ what: 'members', family: place.family, detail }];
  });
}

/**
 * The lines that change a set. Before Linux 6.12 an element that is added again keeps its old timeout, and only one that is there can be
 * deleted; so it is added (which does nothing if it is there), deleted, and added anew.
 */
export function elementChanges(set: string, { gone, added }: Changes): string[] {
  const texts = Array.from(added, ([address, seconds]) =>
    seconds === 0 ? address : `${address} timeout ${duration(seconds)}`,
  );
  return [
    ...netdevElements('add', set, gone),
    ...netdevElements('delete', set, gone),
    ...netdevElements('add', set, texts),
  ];
}

function isNear(held: number | undefined, wanted: number, most: number): boolean {
  if (held === undefined) return false;
  return held === 0 || wanted === 0 ? held === wanted : Math.abs(held - wanted) <= most;
}

/** nft reads numbers of at most eight digits. */
function duration(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  return days === 0 ? `${seconds}s` : `${days}d${seconds % 86_400}s`;
}
