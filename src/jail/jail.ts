import { canonicalPrefix, contains } from '../net/address.ts';
import { grownBanTime } from '../config/options/bantime-increment.ts';
import type { JailSpec } from '../config/jail-spec.ts';
import type { Failure } from '../filter/failure.ts';
import type { Ban } from './ban.ts';
import { banEnd } from './ban-end.ts';
import type { BanCounts } from './ban-counts.ts';
import { detached } from './detached.ts';
import { type CountedFailures, FailureCounter } from './failure-counter.ts';
import { IgnoreList } from './ignore-list.ts';
import { LineBudget } from './line-budget.ts';
import { offenderOf } from './offender.ts';

/** What a failure came to. */
export type Verdict =
  | { readonly kind: 'ignored' }
  | { readonly kind: 'found'; readonly failures: number }
  /**
   * maxretry was reached. `renewed`: the id was banned already and its ban now lasts longer; `lines`: the last of what was
   * logged of all the failures (`maxmatches`).
   */
  | {
      readonly kind: 'ban';
      readonly failures: number;
      readonly ban: Ban;
      readonly renewed: boolean;
      readonly lines: readonly string[];
    }
  /** maxretry was reached, but by failures so old that the ban would be over. */
  | { readonly kind: 'expired'; readonly failures: number };

/** Bans that a jail holds: at a start, ten thousand take about a second. */
export const mostBans = 250_000;
/** Where there are more, so many stay, so that it isn't to be done again at the next ban. */
const keptBans = 0.98 * mostBans;

/**
 * One jail: counts failures, decides bans and remembers them until they end. It knows no clock and no firewall;
 * the caller gives the time (epoch milliseconds) and carries the decisions out.
 */
export class Jail {
  readonly name: string;
  readonly #counter: FailureCounter;
  readonly #history: BanCounts;
  readonly #random: () => number;
  readonly #bans = new Map<string, Ban>();
  #spec: JailSpec;
  #ignored: IgnoreList;
  /** What names and files of `ignoreip` stand for at present. */
  #ignoredNow = new IgnoreList([]);
  #totalBans = 0;
  /** No ban ends before this. */
  #nextExpiry = Infinity;

  /**
   * @param history shared by all jails, for `bantime.overalljails`
   * @param random 0 ≤ n < 1, for `bantime.rndtime`
   * @param budget for the matched lines, shared by all jails
   */
  constructor(
    spec: JailSpec,
    history: BanCounts,
    random: () => number = Math.random,
    budget: LineBudget = new LineBudget(),
  ) {
    this.name = spec.name;
    this.#spec = spec;
    this.#history = history;
    this.#random = random;
    this.#counter = new FailureCounter(spec, budget);
    this.#ignored = ignoreList(spec);
  }

  get spec(): JailSpec {
    return this.#spec;
  }

  /** Takes new options; counts and bans stay. */
  update(spec: JailSpec): void {
    this.#spec = spec;
    this.#counter.setLimits(spec);
    this.#ignored = ignoreList(spec);
  }

  /** Sets what the DNS names and files of `ignoreip` stand for at present. */
  setIgnoredNow(entries: readonly string[]): void {
    this.#ignoredNow = new IgnoreList(entries);
  }

  /** Whether `ignoreip` covers the id; a prefix, if it has any address of it. */
  ignores(id: string): boolean {
    if (id.includes('/') && canonicalPrefix(id) === id) return this.ignoredWithin(id) !== undefined;
    return this.#ignored.has(id) || this.#ignoredNow.has(id);
  }

  /** The entry of `ignoreip` that has an address in common with a canonical address or prefix. */
  ignoredWithin(ip: string): string | undefined {
    return this.#ignored.overlapping(ip) ?? this.#ignoredNow.overlapping(ip);
  }

  /** Active bans, in the order in which they were made. */
  get bans(): ReadonlyMap<string, Ban> {
    return this.#bans;
  }

  get totalBans(): number {
    return this.#totalBans;
  }

  get currentlyFailed(): number {
    return this.#counter.current;
  }

  get totalFailed(): number {
    return this.#counter.total;
  }

  /** Everything that was counted. */
  get failures(): FailureCounter {
    return this.#counter;
  }

  /** What stands against a canonical address or prefix, or the prefix that it is counted by; undefined: nothing. */
  failuresOf(ip: string): CountedFailures | undefined {
    return this.#counter.get(ip) ?? this.#counter.get(offenderOf(ip, this.#spec.ipv6prefix, () => false));
  }

  /**
   * Counts a failure. A date in the future counts as now, as in fail2ban.
   * @param mayNotBan whether a prefix has an address that no jail may ban
   */
  observe(failure: Failure, now: number, mayNotBan: (prefix: string) => boolean = () => false): Verdict {
    if (this.ignores(failure.id)) return { kind: 'ignored' };
    const id = offenderOf(
      detached(failure.id),
      this.#spec.ipv6prefix,
      (prefix) => this.ignoredWithin(prefix) !== undefined || mayNotBan(prefix),
    );
    const time = Math.min(failure.time, now);
    const weight = this.#weightOf(id, now);
    const tally = this.#counter.add(id, time, failure.attempts, weight, failure.lines);
    const { failures, last } = tally;
    if (!tally.reached) return { kind: 'found', failures };
    const known = this.#bans.get(id);
    const until = this.#endOf(last, id);
    if (until !== undefined && until < now) return { kind: 'expired', failures };
    if (known && !outlasts(until, known.until)) return { kind: 'found', failures };
    const ban: Ban = { jail: this.name, ip: id, since: known?.since ?? last, until };
    this.#make(ban, now);
    return { kind: 'ban', failures, ban, renewed: known !== undefined, lines: tally.lines };
  }

  /**
   * Bans an address or prefix by hand; whether it may be banned is for the caller to ask (`ignoredWithin`). As in fail2ban, a ban
   * that is in force only ever gets longer; undefined: it lasts as long already.
   */
  ban(ip: string, now: number): { readonly ban: Ban; readonly renewed: boolean } | undefined {
    const known = this.#bans.get(ip);
    const until = this.#endOf(now, ip);
    if (known && !outlasts(until, known.until)) return undefined;
    const ban: Ban = { jail: this.name, ip, since: known?.since ?? now, until };
    this.#make(ban, now);
    return { ban, renewed: known !== undefined };
  }

  /** Counts from nothing, as after a start. Bans stay. */
  beginAnew(): void {
    this.#counter.clear();
    this.#totalBans = this.#bans.size;
  }

  /** Takes over a ban that was in force before this process started. */
  restore(ban: Ban): void {
    this.#hold({ ...ban, until: banEnd(ban.until) });
  }

  /** Ends a ban and forgets the failures. Undefined: it wasn't banned. */
  unban(ip: string): Ban | undefined {
    const ban = this.#bans.get(ip);
    this.#bans.delete(ip);
    this.#counter.forget(ip);
    if (!ip.includes('/')) this.#counter.forget(offenderOf(ip, this.#spec.ipv6prefix, () => false));
    return ban;
  }

  /** The bans of addresses and prefixes within a canonical prefix; of an address, its own. */
  bansWithin(ip: string): Ban[] {
    if (ip.includes('/')) return [...this.#bans.values()].filter((ban) => contains(ip, ban.ip));
    const ban = this.#bans.get(ip);
    return ban ? [ban] : [];
  }

  /** The bans of wider prefixes, which hold for a canonical address or prefix too. */
  bansAround(ip: string): Ban[] {
    return [...this.#bans.values()].filter(
      (ban) => ban.ip.includes('/') && ban.ip !== ip && contains(ban.ip, ip),
    );
  }

  /** Ends the bans whose time is over and drops failures older than findtime. */
  expire(now: number): Ban[] {
    this.#counter.expire(now);
    if (now < this.#nextExpiry) return [];
    const ended: Ban[] = [];
    this.#nextExpiry = Infinity;
    for (const ban of this.#bans.values()) {
      if (ban.until === undefined) continue;
      if (ban.until <= now) {
        ended.push(ban);
        this.#bans.delete(ban.ip);
      } else if (ban.until < this.#nextExpiry) this.#nextExpiry = ban.until;
    }
    return ended;
  }

  /**
   * Ends bans if there are more than a jail holds, those first that would end soonest: who attacks now is banned in any case.
   */
  shed(): Ban[] {
    if (this.#bans.size <= mostBans) return [];
    const bans = [...this.#bans.values()].toSorted((a, b) => endOf(a) - endOf(b) || 0);
    const shed = bans.slice(0, bans.length - keptBans);
    for (const { ip } of shed) this.#bans.delete(ip);
    return shed;
  }

  /**
   * The clock was set: bans and failures keep their age and what is left of them.
   * @param ms by so much the new time is ahead of the old one
   */
  shift(ms: number): void {
    this.#counter.shift(ms);
    this.#nextExpiry += ms;
    for (const [ip, { since, until, ...ban }] of this.#bans) {
      this.#bans.set(ip, {
        ...ban,
        since: since + ms,
        until: banEnd(until === undefined ? undefined : until + ms),
      });
    }
  }

  #hold(ban: Ban): void {
    if (!this.#bans.has(ban.ip)) this.#totalBans += 1;
    this.#bans.set(ban.ip, ban);
    if (ban.until !== undefined && ban.until < this.#nextExpiry) this.#nextExpiry = ban.until;
  }

  #make(ban: Ban, now: number): void {
    const overall = this.#spec.increment?.overalljails;
    if (!this.#bans.has(ban.ip)) this.#history.add(ban.ip, this.name, now, overall);
    this.#hold(ban);
  }

  #earlierBans(ip: string, now: number): number {
    const { increment } = this.#spec;
    if (!increment) return 0;
    const count = this.#history.count(ip, increment.overalljails ? undefined : this.name, now);
    // The ban that is being renewed is no earlier one.
    return this.#bans.has(ip) ? Math.max(0, count - 1) : count;
  }

  /** With bantime.increment, failures of those who were banned before weigh 2, 3, 5, 9, … (fail2ban's observer). */
  #weightOf(id: string, now: number): number {
    const count = this.#spec.increment ? this.#history.count(id, this.name, now) : 0;
    return count === 0 ? 1 : Math.min(2 ** (Math.min(count, 20) - 1) + 1, this.#spec.maxretry);
  }

  #endOf(since: number, ip: string): number | undefined {
    const { bantime, increment } = this.#spec;
    const count = this.#earlierBans(ip, since);
    const seconds = increment ? grownBanTime(increment, bantime, count, this.#random()) : bantime;
    return seconds < 0 ? undefined : banEnd(since + seconds * 1000);
  }
}

/** Of one that has no end, what is later than any. */
function endOf({ until }: Ban): number {
  return until ?? Number.MAX_VALUE;
}

function outlasts(until: number | undefined, other: number | undefined): boolean {
  return other !== undefined && (until === undefined || until > other);
}

function ignoreList({ ignoreip, ignoreNames = [] }: JailSpec): IgnoreList {
  return new IgnoreList([...ignoreip, ...ignoreNames]);
}
