import { familyOf, type Family } from '../../net/address.ts';
import type { Ban } from '../../jail/ban.ts';

/** How many members a set must have, and how many it may have: bans that ended just now may still be there. */
export interface Census {
  live: number;
  ending: number;
}

/** Members by family: index 0 is IPv4, 1 IPv6. */
export type FamilyCensus = readonly [Census, Census];

export interface Count {
  readonly all: FamilyCensus;
  readonly jails: ReadonlyMap<string, FamilyCensus>;
}

/** The kernel counts whole seconds and ends a ban that much late, plus the time of a batch. Milliseconds. */
const grace = 2000;

/** Which half of a FamilyCensus a family is. */
export function half(family: Family): 0 | 1 {
  return family === 4 ? 0 : 1;
}

type Several = readonly Ban[];

/** The bans that are to be in the kernel, by address or prefix: one may be banned in several jails. */
export class BanIndex {
  // Nearly every address has one ban, so that one is kept without an array around it.
  readonly #bans = new Map<string, Ban | Several>();
  /** How many are kept, whether or not they have ended: of each jail, and of all addresses (undefined). */
  readonly #kept = new Map<string | undefined, [number, number]>();

  put(ban: Ban): void {
    const known = this.of(ban.ip);
    const others = known.filter(({ jail }) => jail !== ban.jail);
    this.#bans.set(ban.ip, others.length === 0 ? ban : [...others, ban]);
    if (others.length === known.length) this.#keep(ban.jail, ban.ip, 1);
    if (known.length === 0) this.#keep(undefined, ban.ip, 1);
  }

  remove(jail: string, ip: string): void {
    const known = this.of(ip);
    const [first, ...rest] = known.filter((ban) => ban.jail !== jail);
    if (first === undefined) this.#bans.delete(ip);
    else this.#bans.set(ip, rest.length === 0 ? first : [first, ...rest]);
    const left = first === undefined ? 0 : rest.length + 1;
    if (left < known.length) this.#keep(jail, ip, -1);
    if (left === 0 && known.length > 0) this.#keep(undefined, ip, -1);
  }

  /**
   * How many bans are kept, whether or not they have ended.
   * @param jail undefined: how many addresses and prefixes
   */
  kept(jail: string | undefined, family: Family): number {
    return this.#kept.get(jail)?.[half(family)] ?? 0;
  }

  /** The jails of which bans are kept. */
  get jails(): string[] {
    return [...this.#kept.keys()].filter((jail) => jail !== undefined);
  }

  get(jail: string, ip: string): Ban | undefined {
    const held = this.#bans.get(ip);
    if (held === undefined || isSeveral(held)) return held?.find((ban) => ban.jail === jail);
    return held.jail === jail ? held : undefined;
  }

  /** Every jail's ban of an address. */
  of(ip: string): readonly Ban[] {
    const held = this.#bans.get(ip);
    if (held === undefined) return [];
    return isSeveral(held) ? held : [held];
  }

  /** The ban of an address that ends last. */
  longest(ip: string): Ban | undefined {
    const held = this.#bans.get(ip);
    if (held === undefined || !isSeveral(held)) return held;
    let longest: Ban | undefined;
    for (const ban of held) {
      if (longest === undefined || (ban.until ?? Infinity) > (longest.until ?? Infinity)) longest = ban;
    }
    return longest;
  }

  /** Every ban that hasn't ended. */
  *live(now: number): Generator<Ban> {
    for (const held of this.#bans.values()) {
      for (const ban of isSeveral(held) ? held : [held])
        if (ban.until === undefined || ban.until > now) yield ban;
    }
  }

  /** Counts what is live and forgets what ended more than a moment ago. */
  count(now: number): Count {
    const all = emptyCensus();
    const jails = new Map<string, FamilyCensus>();
    for (const [ip, held] of this.#bans) {
      const family = half(familyOf(ip));
      let best: keyof Census | undefined;
      for (const ban of isSeveral(held) ? held : [held]) {
        const state = stateOf(ban, now);
        if (state === undefined) {
          this.remove(ban.jail, ip);
          continue;
        }
        if (best !== 'live') best = state;
        let census = jails.get(ban.jail);
        if (!census) jails.set(ban.jail, (census = emptyCensus()));
        census[family][state] += 1;
      }
      if (best !== undefined) all[family][best] += 1;
    }
    return { all, jails };
  }

  clear(): void {
    this.#bans.clear();
    this.#kept.clear();
  }

  #keep(jail: string | undefined, ip: string, change: 1 | -1): void {
    const counts = this.#kept.get(jail) ?? [0, 0];
    counts[half(familyOf(ip))] += change;
    if (counts[0] + counts[1] === 0) this.#kept.delete(jail);
    else this.#kept.set(jail, counts);
  }
}

export function emptyCensus(): FamilyCensus {
  return [
    { live: 0, ending: 0 },
    { live: 0, ending: 0 },
  ];
}

function isSeveral(held: Ban | Several): held is Several {
  return Array.isArray(held);
}

function stateOf({ until }: Ban, now: number): keyof Census | undefined {
  if (until === undefined || until > now) return 'live';
  return until > now - grace ? 'ending' : undefined;
}
