import { setLines, type Line } from './layout.ts';
import { elementOf, setOf, type Place } from './names.ts';
import { elementLines } from './tool.ts';

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
export class NftBatch {
  readonly #sets = new Map<string, Changes>();

  /** The places it writes to. */
  get places(): Place[] {
    return Array.from(this.#sets.values(), ({ place }) => place);
  }

  /**
   * @param jail undefined: the sets of all
   * @param seconds 0 is for ever
   * @param isNew whether it is certain that the kernel doesn't hold it
   */
  add(jail: string | undefined, ip: string, seconds: number, isNew: boolean): void {
    const { address, changes } = this.#changes(jail, ip);
    changes.elements.set(address, seconds);
    if (!isNew) changes.perhapsHeld.add(address);
  }

  /** Whether or not it is there. */
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
        ...elementLines('add', set, place.jail, gone),
        ...elementLines('delete', set, place.jail, gone),
        ...elementLines('add', set, place.jail, added),
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

/** A century, in seconds: longer than any ban needs, and no more digits than nft reads. */
const longestTimeout = 36_500 * 86_400;

/** The seconds that a ban is given in the kernel, 0 for ever. It ends there up to a second late, never early. */
export function timeoutUntil(until: number | undefined, now: number): number {
  return until === undefined ? 0 : Math.min(Math.max(Math.ceil((until - now) / 1000), 1), longestTimeout);
}

/** nft reads numbers of at most eight digits. */
function duration(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  return days === 0 ? `${seconds}s` : `${days}d${seconds % 86_400}s`;
}
