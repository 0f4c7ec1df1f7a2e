import type { Family } from '../address.ts';
import { emptyCensus, familyOfCanonical, half, type BanIndex, type Census } from './ban-index.ts';
import { FirewallError } from './errors.ts';
import type { Repair, Shortfall } from './firewall.ts';
import type { IpsetWriter } from './ipset-writer.ts';
import { isOurs, longestTimeout, timeoutFor, type SetHeader } from './ipset-text.ts';
import type { SetBatch } from './set-batch.ts';
import { allSet, jailSet } from './set-names.ts';

/** A set that should be right. */
interface Wanted {
  readonly name: string;
  readonly family: Family;
  /** Undefined: the set of all addresses. */
  readonly jail: string | undefined;
  /** Whether it must be made if it isn't there. */
  readonly required: boolean;
  readonly census: Census;
}

/** Seconds by which an entry's timeout may differ from its ban's: both count whole seconds, and large sets take a while to read. */
const slack = 5;

/** Half the longest timeout, in milliseconds: bans that outlast it are armed again that often, so none runs out. */
const rearmEvery = (longestTimeout * 1000) / 2;

/** Compares the sets in the kernel with the bans that should be in them. Not for overlapping calls. */
export class SetCheck {
  readonly #writer: IpsetWriter;
  readonly #index: BanIndex;
  /** Every jail that had to do with this firewall. */
  readonly #jails = new Set<string>();
  /** Sets that were right once: what is wrong with them now is somebody's doing. */
  readonly #settled = new Set<string>();
  /** Sets of which every member is known: what is not in the index doesn't belong there. */
  readonly #trusted = new Set<string>();
  /** Sets that are read in full at the next run, whatever their number of entries. */
  readonly #doubtful = new Set<string>();
  /** When the bans that are longer than ipset can count were last given a new timeout. */
  #armedAt: number;

  constructor(writer: IpsetWriter, index: BanIndex, now: number) {
    this.#writer = writer;
    this.#index = index;
    this.#armedAt = now;
  }

  /** Every member of this set is known from now on, since it was taken over or made by us. */
  trust(jail: string, family: Family): void {
    this.#jails.add(jail);
    this.#trusted.add(jailSet(jail, family));
  }

  /**
   * Something may be wrong with these sets, although their number of entries is right.
   * @param jail undefined: the sets of all addresses
   */
  doubt(jail: string | undefined): void {
    if (jail !== undefined) this.#jails.add(jail);
    for (const family of [4, 6] as const) this.#doubtful.add(nameOf(jail, family));
  }

  forget(): void {
    this.#jails.clear();
    this.#settled.clear();
    this.#trusted.clear();
    this.#doubtful.clear();
  }

  /** Puts into `batch` what must be written. Reads a set in full only if its number of entries is wrong. */
  async run(
    jails: readonly string[],
    families: readonly Family[],
    now: number,
    batch: SetBatch,
  ): Promise<{ repairs: Repair[]; shortfalls: Shortfall[]; unusable: Set<string> }> {
    const repairs: Repair[] = [];
    const shortfalls: Shortfall[] = [];
    const unusable = new Set<string>();
    const headers = await this.#writer.headers();
    for (const wanted of this.#wanted(jails, families, now)) {
      const { name, family } = wanted;
      const header = headers.get(name);
      if (!header && !wanted.required) continue;
      if (header && !isOurs(header, family)) {
        unusable.add(name);
        shortfalls.push(foreign(wanted, header));
        continue;
      }
      const detail = header
        ? await this.#compare(wanted, header, now, batch)
        : this.#recreate(wanted, now, batch);
      if (detail !== undefined && this.#settled.has(name)) {
        repairs.push({ what: header ? 'members' : 'set', family, detail });
      }
      this.#settled.add(name);
    }
    this.#rearm(families, now, batch);
    return { repairs, shortfalls, unusable };
  }

  #wanted(jails: readonly string[], families: readonly Family[], now: number): Wanted[] {
    const count = this.#index.count(now);
    const required = new Set([...jails, ...count.jails.keys()]);
    for (const jail of jails) this.#jails.add(jail);
    const all = new Set([...this.#jails, ...required]);
    return families.flatMap((family) => [
      ...[...all].map((jail) => ({
        name: jailSet(jail, family),
        family,
        jail,
        required: required.has(jail),
        census: (count.jails.get(jail) ?? emptyCensus())[half(family)],
      })),
      { name: allSet(family), family, jail: undefined, required: true, census: count.all[half(family)] },
    ]);
  }

  #recreate({ name, family, jail }: Wanted, now: number, batch: SetBatch): string {
    batch.create(name, family);
    for (const [ip, timeout] of this.#members(family, jail, now)) batch.add(jail, ip, timeout);
    this.#trusted.add(name);
    return `set ${name} was missing`;
  }

  /** @returns what was wrong, for people */
  async #compare(
    { name, family, jail, census }: Wanted,
    { entries }: SetHeader,
    now: number,
    batch: SetBatch,
  ): Promise<string | undefined> {
    const mayPrune = jail === undefined || this.#trusted.has(name);
    const right = entries >= census.live && (!mayPrune || entries <= census.live + census.ending);
    if (right && !this.#doubtful.has(name)) return undefined;
    const held = await this.#writer.members(name);
    this.#doubtful.delete(name);
    let missing = 0;
    let extra = 0;
    for (const [ip, timeout] of this.#members(family, jail, now)) {
      if (isRight(held.get(ip), timeout)) continue;
      missing += 1;
      batch.add(jail, ip, timeout);
    }
    for (const ip of mayPrune ? held.keys() : []) {
      if (this.#isKnown(jail, ip)) continue;
      extra += 1;
      batch.del(jail, ip);
    }
    if (missing + extra === 0) return undefined;
    return `set ${name}: ${missing} of ${census.live} addresses were missing or wrong, ${extra} did not belong there`;
  }

  /** Also bans that ended just now: the kernel removes those by itself. */
  #isKnown(jail: string | undefined, ip: string): boolean {
    return jail === undefined ? this.#index.of(ip).length > 0 : this.#index.get(jail, ip) !== undefined;
  }

  *#members(family: Family, jail: string | undefined, now: number): Generator<[ip: string, timeout: number]> {
    for (const ban of this.#index.live(now)) {
      if (familyOfCanonical(ban.ip) !== family) continue;
      if (jail === undefined ? this.#index.longest(ban.ip) === ban : ban.jail === jail) {
        yield [ban.ip, timeoutFor(ban.until, now)];
      }
    }
  }

  /** ipset can't count further than 24.8 days; longer bans get a new timeout long before theirs ends. */
  #rearm(families: readonly Family[], now: number, batch: SetBatch): void {
    if (now < this.#armedAt + rearmEvery) return;
    // Whatever was armed since then has its own end, or at least this one.
    const covered = this.#armedAt + longestTimeout * 1000;
    this.#armedAt = now;
    for (const { jail, ip, until } of this.#index.live(now)) {
      if (until === undefined || until <= covered || !families.includes(familyOfCanonical(ip))) continue;
      batch.add(jail, ip, timeoutFor(until, now));
      const longest = this.#index.longest(ip);
      if (longest) batch.add(undefined, ip, timeoutFor(longest.until, now));
    }
  }
}

function nameOf(jail: string | undefined, family: Family): string {
  return jail === undefined ? allSet(family) : jailSet(jail, family);
}

function isRight(held: number | undefined, wanted: number): boolean {
  if (held === undefined) return false;
  return held === 0 || wanted === 0 ? held === wanted : Math.abs(held - wanted) <= slack;
}

function foreign({ name, family, jail }: Wanted, { type, options }: SetHeader): Shortfall {
  const error = new FirewallError('firewall-set-type', `set ${name} is not ours: ${type} ${options}`, {
    fix: `remove it: ipset destroy ${name}`,
  });
  const whose = jail === undefined ? 'bans' : `bans of jail ${jail}`;
  return { jail, family, consequence: `${whose} are not enforced over IPv${family}`, error };
}
