import type { Ban } from '../../jail/ban.ts';
import type { BanIndex } from '../bans/ban-index.ts';
import { FirewallError } from '../tool/errors.ts';
import type { Listing } from './listing.ts';
import type { Audited, Held, TableState } from './table-state.ts';
import { elementOf, placeFinder, setOf, type Place } from './names.ts';
import { alterations, fits, renewedSets, type Written } from './spelling.ts';
import { isCertain, surveyOf, type Surveyed } from './survey.ts';
import type { Failures, NftTool } from './tool.ts';
import { SetAudit } from '../bans/set-audit.ts';

/** So many bans, and no more, are read in full each time: that takes some milliseconds. */
const fewBans = 1000;

/** So many bans are looked up in the kernel each time, each in its turn. */
const sampled = 500;

/** nft takes some 20 µs a member where ipset, with which the audit reckons, takes 2: the pauses are to be longer by as much. */
const auditWeight = 10;

/** Milliseconds between walks through all bans, if there are many. */
const walkEvery = 60_000;

/** What a walk through all bans found. */
interface Survey {
  readonly sets: ReadonlyMap<string, Surveyed>;
  /** How many bans there were. */
  readonly total: number;
  /** Epoch milliseconds. */
  readonly at: number;
}

/** Compares our table with what should be in it. Not for overlapping calls. */
export class NftCheck {
  readonly #tool: NftTool;
  readonly #index: BanIndex;
  readonly #now: () => number;
  readonly #audit = new SetAudit();
  /** Jails of which every member is known: what is not in the index doesn't belong there. */
  readonly #trusted = new Set<string>();
  /** Jails whose sets are read in full at the next look. Undefined: those of all. */
  readonly #doubtful = new Set<string | undefined>();
  /** Whether the union sets are as an earlier run left them: whether they lack something is found out without reading them. */
  #areInherited = true;
  #samples: Generator<Ban, void> | undefined;
  #survey: Survey | undefined;

  /** @param now epoch milliseconds */
  constructor(tool: NftTool, index: BanIndex, now: () => number) {
    this.#tool = tool;
    this.#index = index;
    this.#now = now;
  }

  /** There is no table of ours. If no bans are kept either, what will be in the union sets is known from the first on. */
  beginEmpty(): void {
    if (this.#countBans() === 0) this.#areInherited = false;
  }

  /**
   * Every member of this jail's sets is known from now on, since they were taken over.
   * @param hadMembers whether there were any: the union sets should hold them too
   */
  trust(jail: string, hadMembers: boolean): void {
    this.#trusted.add(jail);
    if (hadMembers) this.#areInherited = true;
  }

  /** Something may be wrong with these sets. @param jail undefined: the union sets */
  doubt(jail: string | undefined): void {
    this.#doubtful.add(jail);
  }

  /** Whether the sets hold what the index says. @param jail undefined: the union sets */
  isSure(jail: string | undefined): boolean {
    const isKnown = jail === undefined ? !this.#areInherited : this.#trusted.has(jail);
    return isKnown && !this.#doubtful.has(jail);
  }

  forget(): void {
    this.#trusted.clear();
    this.#doubtful.clear();
    this.#areInherited = true;
    this.#survey = undefined;
    this.#samples = undefined;
  }

  /**
   * Reads the set whose turn it is, if there are many bans. That may take a second, in which others may write.
   * @param current the sets that there are, as far as we made them
   * @param changed fills with what they write
   */
  async audit(
    current: ReadonlyMap<string, Place>,
    changed: ReadonlySet<string>,
  ): Promise<Audited | undefined> {
    // What has never been looked at as a whole was written only just now, or is about to be looked at.
    if (!this.#survey || this.#areInherited || this.#countBans() <= fewBans) return undefined;
    const sizeOf = (set: string): number => {
      const { jail, family } = current.get(set)!;
      return this.#index.kept(jail, family) * auditWeight;
    };
    const asked = this.#now();
    const set = this.#audit.next([...current.keys()], sizeOf, asked);
    if (set === undefined) return undefined;
    try {
      const members = await this.#tool.members(set);
      return { set, held: { members, asked, mayPrune: this.#mayPrune(current.get(set)!), changed } };
    } catch (error) {
      // What stands in the way will show in what must be read each time.
      if (error instanceof FirewallError) return undefined;
      throw error;
    }
  }

  /**
   * Reads what is needed. With few bans that is everything; else the layout, some bans of each set, and in full the sets that may be wrong.
   * @param written the layout as it was listed when it was written
   * @param current the sets that there are, as far as we made them
   * @param audited a set that was read before
   */
  async look(
    written: Written | undefined,
    current: ReadonlyMap<string, Place>,
    jails: readonly string[],
    audited: Audited | undefined,
  ): Promise<TableState> {
    const asked = this.#now();
    const total = this.#countBans();
    const isSmall = total <= fewBans;
    const listing = isSmall ? await this.#tool.listAll() : await this.#tool.list();
    const sets = [...listing.sets.keys()];
    const known = this.#survey;
    const isStale = !known || asked >= known.at + walkEvery || total > 2 * known.total;
    const survey = isSmall || isStale ? this.#walk(asked, total) : known;
    // Without a new survey nothing is known to have become needless.
    const places = placesOf(jails, survey.sets, survey === known ? current : new Map());
    const find = this.#finder(jails);
    const obsolete = sets.filter((set) => {
      const wanted = places.get(set);
      if (wanted) return !fits(listing.sets.get(set)!, wanted);
      const place = find(set);
      return place !== undefined && this.#mayPrune(place);
    });
    const present = sets.filter((set) => places.has(set) && !obsolete.includes(set));
    const suspects = isSmall ? present : await this.#suspects(present, places, survey.sets, written, listing);
    const held = new Map<string, Held>();
    if (audited && present.includes(audited.set)) held.set(audited.set, audited.held);
    for (const set of suspects) {
      const since = isSmall ? asked : this.#now();
      const members = isSmall ? listing.members.get(set)! : await this.#tool.members(set);
      const mayPrune = this.#mayPrune(places.get(set)!);
      held.set(set, { members, asked: since, mayPrune, changed: new Set() });
    }
    const presentJails = new Set(sets.map((set) => find(set)?.jail));
    const fresh = jails.filter((jail) => !presentJails.has(jail));
    return {
      listing,
      repairs: written ? alterations(written, listing) : [],
      places,
      obsolete,
      held,
      fresh,
    };
  }

  /** What was looked at has been put right, but for the jails that failed. */
  settle({ fresh }: TableState, failures: Failures): void {
    this.#doubtful.clear();
    this.#areInherited = false;
    for (const jail of fresh) this.#trusted.add(jail);
    for (const jail of failures.keys()) this.#doubtful.add(jail);
  }

  /** The sets that are to be read in full. */
  async #suspects(
    present: readonly string[],
    places: ReadonlyMap<string, Place>,
    survey: ReadonlyMap<string, Surveyed>,
    written: Written | undefined,
    listing: Listing,
  ): Promise<Set<string>> {
    const renewed = new Set(written && renewedSets(written, listing));
    const suspects = new Set(
      present.filter((set) => renewed.has(set) || this.#doubtful.has(places.get(set)!.jail)),
    );
    const sample = new Map(
      present.filter((set) => !suspects.has(set)).map((set) => [set, new Set<string>()]),
    );
    const witnesses = Array.from(survey.values(), ({ witness }) => witness);
    for (const { jail, ip } of [...this.#certain(witnesses), ...this.#sample()]) {
      const { family, address, bits } = elementOf(ip);
      for (const owner of [jail, undefined]) sample.get(setOf({ jail: owner, family, bits }))?.add(address);
    }
    for (const { ip } of this.#areInherited ? this.#certain(this.#index.live(this.#now())) : []) {
      const { family, address, bits } = elementOf(ip);
      sample.get(setOf({ jail: undefined, family, bits }))?.add(address);
    }
    for (const set of await this.#tool.lacking(sample)) suspects.add(set);
    return suspects;
  }

  /** Those of bans that were live a while ago which the kernel must still hold. */
  *#certain(bans: Iterable<Ban | undefined>): Generator<Ban> {
    const now = this.#now();
    for (const each of bans) {
      const ban = each && this.#index.get(each.jail, each.ip);
      if (ban && isCertain(ban, now)) yield ban;
    }
  }

  /** Some bans, others each time. */
  *#sample(): Generator<Ban> {
    const now = this.#now();
    this.#samples ??= this.#index.live(now);
    for (let i = 0; i < sampled; i += 1) {
      const { value, done } = this.#samples.next();
      if (done) {
        this.#samples = undefined;
        return;
      }
      if (isCertain(value, now)) yield value;
    }
  }

  #countBans(): number {
    return this.#index.kept(undefined, 4) + this.#index.kept(undefined, 6);
  }

  #mayPrune({ jail }: Place): boolean {
    return jail === undefined || this.#trusted.has(jail);
  }

  #finder(jails: readonly string[]): ReturnType<typeof placeFinder> {
    return placeFinder(
      new Set([undefined, ...this.#trusted, ...this.#doubtful, ...this.#index.jails, ...jails]),
    );
  }

  /** Walks through all bans: forgets those that have ended, and finds out what the others need. */
  #walk(now: number, total: number): Survey {
    this.#index.count(now);
    return (this.#survey = { sets: surveyOf(this.#index.live(now), now), total, at: now });
  }
}

/**
 * The sets that there must be: for the usual prefix lengths of each jail that closes something and of all, for whatever is banned, and
 * those that are `kept`.
 */
function placesOf(
  jails: readonly string[],
  survey: ReadonlyMap<string, Surveyed>,
  kept: ReadonlyMap<string, Place>,
): ReadonlyMap<string, Place> {
  const usual = [undefined, ...jails].flatMap((jail): Place[] => [
    { jail, family: 4, bits: 32 },
    { jail, family: 6, bits: 64 },
  ]);
  const banned = Array.from(survey.values(), ({ place }) => place);
  return new Map([...usual, ...banned, ...kept.values()].map((place) => [setOf(place), place]));
}
