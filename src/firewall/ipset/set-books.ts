import { familyOf, type Family } from '../../net/address.ts';
import type { Ban } from '../../jail/ban.ts';
import { emptyCensus, half, type BanIndex, type Count } from '../bans/ban-index.ts';
import { allSet, jailSet } from '../bans/set-names.ts';

/** What the sets should hold at one moment. What takes a walk through all bans is only worked out if it is asked for. */
export class SetBooks {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly #index: BanIndex;
  #count: Count | undefined;
  #members: ReadonlyMap<string, readonly Ban[]> | undefined;

  constructor(index: BanIndex, now: number) {
    this.#index = index;
    this.now = now;
  }

  /**
   * Whether a set's number of entries is what it should be.
   * @param jail undefined: the union set
   * @param mayPrune false: the set may hold more than is known
   */
  agree(jail: string | undefined, family: Family, entries: number, mayPrune: boolean): boolean {
    if (entries === this.#index.kept(jail, family)) return true;
    this.#count ??= this.#index.count(this.now);
    const census = jail === undefined ? this.#count.all : (this.#count.jails.get(jail) ?? emptyCensus());
    const { live, ending } = census[half(family)];
    return entries >= live && (!mayPrune || entries <= live + ending);
  }

  /** The bans of which a set must have a member. */
  membersOf(set: string): readonly Ban[] {
    this.#members ??= this.#grouped();
    return this.#members.get(set) ?? [];
  }

  #grouped(): ReadonlyMap<string, readonly Ban[]> {
    const sets = new Map<string, Ban[]>();
    const names = new Map<string, string>();
    const put = (set: string, ban: Ban): void => {
      const members = sets.get(set);
      if (members) members.push(ban);
      else sets.set(set, [ban]);
    };
    for (const ban of this.#index.live(this.now)) {
      const family = familyOf(ban.ip);
      const key = `${family} ${ban.jail}`;
      const name = names.get(key) ?? jailSet(ban.jail, family);
      names.set(key, name);
      put(name, ban);
      if (this.#index.longest(ban.ip) === ban) put(allSet(family), ban);
    }
    return sets;
  }
}
