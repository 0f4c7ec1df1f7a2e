import type { BanCounts } from '../jail/ban-counts.ts';
import { type BanRecord, isActive, isRemembered, type StoredBan } from './stored-ban.ts';

/** The bans that are remembered, as the history needs them. */
export interface RememberedBans {
  /** What is remembered of an address, by jail. */
  of(ip: string): readonly BanRecord[];
  get(jail: string, ip: string): StoredBan | undefined;
  put(ban: StoredBan): void;
}

/** How often an address was banned, by what is stored. For `Jail`. */
export class StoredHistory implements BanCounts {
  readonly #bans: RememberedBans;
  /** Milliseconds for which bans that are over are remembered. */
  readonly #age: number;

  constructor(bans: RememberedBans, age: number) {
    this.#bans = bans;
    this.#age = age;
  }

  count(ip: string, jail: string | undefined, now: number): number {
    let sum = 0;
    for (const ban of this.#bans.of(ip)) {
      if ((jail === undefined || ban.jail === jail) && isRemembered(ban, now, this.#age)) sum += ban.count;
    }
    return sum;
  }

  /** Counts a ban. The ban itself is `put` with this count right after, if it comes into force. */
  add(ip: string, jail: string, now: number, overall = false): void {
    const known = this.#bans.get(jail, ip);
    const count = this.count(ip, overall ? undefined : jail, now) + 1;
    if (known && isActive(known, now)) this.#bans.put({ ...known, count });
    else {
      const unknown = { failures: undefined, container: undefined, lines: [] };
      this.#bans.put({ jail, ip, since: now, until: now, count, ...unknown });
    }
  }
}
