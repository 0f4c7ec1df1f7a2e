import type { Family } from '../../net/address.ts';
import type { Ban } from '../../jail/ban.ts';
import type { BanIndex } from '../bans/ban-index.ts';
import { FirewallError } from '../tool/errors.ts';
import type { Repair, Shortfall } from '../firewall.ts';
import type { IpsetWriter } from './ipset-writer.ts';
import { isOurs, isSmall, longestTimeout, timeoutFor, type SetHeader } from './ipset-text.ts';
import { SetAudit } from '../bans/set-audit.ts';
import type { SetBatch } from './set-batch.ts';
import { SetBooks } from './set-books.ts';
import { allSet, jailSet } from '../bans/set-names.ts';
import { isSameTimeout, slack } from '../bans/timeouts.ts';

/** What a run came to. */
interface SetFindings {
  readonly repairs: Repair[];
  readonly shortfalls: Shortfall[];
  /** Names of sets that rules must not refer to. */
  readonly unusable: Set<string>;
}

/** A set that should be right. */
interface DueSet {
  readonly name: string;
  readonly family: Family;
  /** Undefined: the union set. */
  readonly jail: string | undefined;
  /** Whether it must be made if it isn't there. */
  readonly required: boolean;
}

/** Half the longest timeout, in milliseconds: bans that outlast it are armed again that often, so none runs out. */
const rearmEvery = (longestTimeout * 1000) / 2;

/** Compares the sets in the kernel with the bans that should be in them. Not for overlapping calls. */
export class SetCheck {
  readonly #writer: IpsetWriter;
  readonly #index: BanIndex;
  readonly #now: () => number;
  readonly #audit = new SetAudit();
  /** Every jail that had to do with this firewall. */
  readonly #jails = new Set<string>();
  /** Sets that were right once: what is wrong with them now was changed from outside. */
  readonly #settled = new Set<string>();
  /** Sets of which every member is known: what is not in the index doesn't belong there. */
  readonly #trusted = new Set<string>();
  /** Sets that are read in full at the next run, whatever their number of entries. */
  readonly #doubtful = new Set<string>();
  /** When the bans that are longer than ipset can count were last given a new timeout. */
  #armedAt: number;

  /** @param now epoch milliseconds */
  constructor(writer: IpsetWriter, index: BanIndex, now: () => number) {
    this.#writer = writer;
    this.#index = index;
    this.#now = now;
    this.#armedAt = now();
  }

  /** Every member of this set is known from now on, since it was taken over or made by us. */
  trust(jail: string, family: Family): void {
    this.#jails.add(jail);
    this.#trusted.add(jailSet(jail, family));
  }

  /**
   * Something may be wrong with these sets, although their number of entries is right.
   * @param jail undefined: the union sets
   */
  doubt(jail: string | undefined): void {
    if (jail !== undefined) this.#jails.add(jail);
    for (const family of [4, 6] as const) this.#doubtful.add(nameOf(jail, family));
  }

  /** Whether sets may lack what they should hold. @param jail undefined: the union sets */
  isDoubtful(jail: string | undefined): boolean {
    return this.#doubtful.has(nameOf(jail, 4));
  }

  forget(): void {
    this.#jails.clear();
    this.#settled.clear();
    this.#trusted.clear();
    this.#doubtful.clear();
  }

  /**
   * Puts into `batch` what must be written. Reads a set in full if its number of entries is wrong, and every set now and then: a stranger
   * in a ban's place leaves the number as it is.
   */
  async run(jails: readonly string[], families: readonly Family[], batch: SetBatch): Promise<SetFindings> {
    const findings: SetFindings = { repairs: [], shortfalls: [], unusable: new Set() };
    const headers = await this.#writer.headers();
    const wanted = this.#wanted(jails, families);
    const books = new SetBooks(this.#index, this.#now());
    const filled = wanted.filter(({ name }) => (headers.get(name)?.entries ?? 0) > 0);
    const audited = this.#audit.next(
      filled.map(({ name }) => name),
      (name) => headers.get(name)!.entries,
      this.#now(),
    );
    for (const each of wanted) {
      const { name, family, jail } = each;
      const header = headers.get(name);
      if (!header && !each.required) continue;
      if (header && !isOurs(header, family)) {
        findings.unusable.add(name);
        findings.shortfalls.push(foreign(each, header));
        continue;
      }
      const mayPrune = jail === undefined || this.#trusted.has(name);
      let detail: string | undefined;
      if (!header) detail = this.#recreate(each, books, batch);
      else if (isSmall(header)) detail = await this.#enlarge(each, mayPrune, books, batch);
      else if (
        name === audited ||
        this.#doubtful.has(name) ||
        !books.agree(jail, family, header.entries, mayPrune)
      )
        detail = await this.#compare(each, mayPrune, books, batch);
      if (detail !== undefined && this.#settled.has(name)) {
        findings.repairs.push({ what: header ? 'members' : 'set', family, detail });
      }
      this.#settled.add(name);
    }
    this.#rearm(this.#now(), batch);
    return findings;
  }

  #wanted(jails: readonly string[], families: readonly Family[]): DueSet[] {
    const required = new Set([...jails, ...this.#index.jails]);
    for (const jail of jails) this.#jails.add(jail);
    const all = new Set([...this.#jails, ...required]);
    return families.flatMap((family) => [
      ...[...all].map((jail) => ({
        name: jailSet(jail, family),
        family,
        jail,
        required: required.has(jail),
      })),
      { name: allSet(family), family, jail: undefined, required: true },
    ]);
  }

  #recreate({ name, family, jail }: DueSet, books: SetBooks, batch: SetBatch): string {
    batch.create(name, family);
    for (const { ip, until } of books.membersOf(name)) batch.add(jail, ip, timeoutFor(until, books.now));
    this.#trusted.add(name);
    return `set ${name} was missing`;
  }

  /** Makes room for as many as ever, with what the set holds and what it should. */
  async #enlarge(
    { name, family }: DueSet,
    mayPrune: boolean,
    books: SetBooks,
    batch: SetBatch,
  ): Promise<string> {
    const members = new Map(mayPrune ? [] : await this.#writer.members(name));
    for (const { ip, until } of books.membersOf(name)) members.set(ip, timeoutFor(until, books.now));
    batch.replace(name, family, members);
    this.#doubtful.delete(name);
    return `set ${name} was too small`;
  }

  /** @returns what was wrong, for people */
  async #compare(
    { name, family, jail }: DueSet,
    mayPrune: boolean,
    books: SetBooks,
    batch: SetBatch,
  ): Promise<string | undefined> {
    const asked = this.#now();
    const members = await this.#writer.members(name);
    const now = this.#now();
    // A large set takes a while to read, a busy machine still longer.
    const isRight = (held: number | undefined, { until }: Ban): boolean =>
      isSameTimeout(held, timeoutFor(until, now), slack + (now - asked) / 1000);
    this.#doubtful.delete(name);
    let right = 0;
    const extra: string[] = [];
    for (const [ip, timeout] of members) {
      // Also one that ended just now: the kernel removes it by itself.
      const ban = jail === undefined ? this.#index.longest(ip) : this.#index.get(jail, ip);
      if (!ban) extra.push(ip);
      else if (isRight(timeout, ban)) right += 1;
    }
    const strangers = mayPrune ? extra.length : 0;
    if (right === this.#index.kept(jail, family) && strangers === 0) return undefined;
    const held = new Map(members);
    const missing = books.membersOf(name).filter((ban) => !isRight(held.get(ban.ip), ban));
    for (const { ip, until } of missing) batch.add(jail, ip, timeoutFor(until, now));
    if (mayPrune) for (const ip of extra) batch.del(jail, ip);
    if (missing.length + strangers === 0) return undefined;
    return `set ${name}: ${missing.length} of ${books.membersOf(name).length} addresses were missing or wrong, ${strangers} were unexpected`;
  }

  /** ipset can't count further than 24.8 days; longer bans get a new timeout long before theirs ends. */
  #rearm(now: number, batch: SetBatch): void {
    if (now < this.#armedAt + rearmEvery) return;
    // Whatever was armed since then has its own end, or at least this one.
    const covered = this.#armedAt + longestTimeout * 1000;
    this.#armedAt = now;
    for (const { jail, ip, until } of this.#index.live(now)) {
      if (until === undefined || until <= covered) continue;
      batch.add(jail, ip, timeoutFor(until, now));
      const longest = this.#index.longest(ip);
      if (longest) batch.add(undefined, ip, timeoutFor(longest.until, now));
    }
  }
}

function nameOf(jail: string | undefined, family: Family): string {
  return jail === undefined ? allSet(family) : jailSet(jail, family);
}

function foreign({ name, family, jail }: DueSet, { type, options }: SetHeader): Shortfall {
  const error = new FirewallError('firewall-set-type', `set ${name} is not ours: ${type} ${options}`, {
    fix: `remove it: ipset destroy ${name}`,
  });
  const whose = jail === undefined ? 'bans' : `bans of jail ${jail}`;
  return { jail, family, consequence: `${whose} are not enforced over IPv${family}`, error };
}
