import type { BanBatch } from '../bans/ban-book.ts';
import { elementLines, setLines, type Line } from './layout.ts';
import { elementOf, setOf, type Place } from './names.ts';

/** A century, in seconds: longer than any ban needs, and no more digits than nft reads. */
export const longestTimeout = 36_500 * 86_400;

/** What is to happen to one set. */
interface Changes {
  readonly place: Place;
  /** Address → seconds left, 0 for ever; undefined: it is deleted. */
  readonly elements: Map<string, number | undefined>;
  /** Elements that may be there already, perhaps with another end. */
  readonly perhapsHeld: Set<string>;
}

/**
 * The changes of elements of one transaction; of several of one element the last counts. Before Linux 6.12 an element that is added again
 * keeps its old timeout, and only one that is there can be deleted; so whatever may be there is added (which does nothing if it is),
 * deleted, and added anew.
 */
export class NftBatch implements BanBatch {
  readonly #sets = new Map<string, Changes>();

  /** The places it writes to. */
  get places(): Place[] {
    return Array.from(this.#sets.values(), ({ place }) => place);
  }

  get jails(): Iterable<string | undefined> {
    return this.places.map(({ jail }) => jail);
  }

  add(jail: string | undefined, ip: string, seconds: number, isNew: boolean): void {
    const { address, changes } = this.#changes(jail, ip);
    changes.elements.set(address, seconds);
    if (!isNew) changes.perhapsHeld.add(address);
  }

  del(jail: string | undefined, ip: string): void {
    const { address, changes } = this.#changes(jail, ip);
    changes.elements.set(address, undefined);
    changes.perhapsHeld.add(address);
  }

  /** Leaves out sets that nothing is added to unless they are there. */
  dropMissing(isThere: (set: string) => boolean): void {
    for (const [set, { elements }] of this.#sets) {
      const adds = elements.values().some((seconds) => seconds !== undefined);
      if (!adds && !isThere(set)) this.#sets.delete(set);
    }
  }

  lines(): Line[] {
    return this.#sets.size === 0 ? [] : [...setLines(this.places), ...this.elementLines()];
  }

  /** Without those that make the sets. */
  elementLines(): Line[] {
    const lines: Line[] = [];
    for (const [set, { place, elements, perhapsHeld }] of this.#sets) {
      const gone = [...perhapsHeld];
      const added: string[] = [];
      for (const [address, seconds] of elements) {
        if (seconds === undefined) continue;
        added.push(seconds === 0 ? address : `${address} timeout ${duration(seconds)}`);
      }
      lines.push(
        ...elementLines('add element', set, place.jail, gone),
        ...elementLines('delete element', set, place.jail, gone),
        ...elementLines('add element', set, place.jail, added),
      );
    }
    return lines;
  }

  #changes(jail: string | undefined, ip: string): { address: string; changes: Changes } {
    const { family, address, bits } = elementOf(ip);
    const place: Place = { jail, family, bits };
    const set = setOf(place);
    let changes = this.#sets.get(set);
    if (!changes) this.#sets.set(set, (changes = { place, elements: new Map(), perhapsHeld: new Set() }));
    return { address, changes };
  }
}

/** nft reads numbers of at most eight digits. */
function duration(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  return days === 0 ? `${seconds}s` : `${days}d${seconds % 86_400}s`;
}
