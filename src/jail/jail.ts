import type { JailSpec } from '../config/jail-spec.ts';
import type { Failure } from '../filter/failure.ts';
import type { Ban } from './ban.ts';
import { FailureCounter } from './failure-counter.ts';
import { IgnoreList } from './ignore-list.ts';

/** What a failure came to. */
export type Verdict =
  | { readonly kind: 'ignored' }
  | { readonly kind: 'found'; readonly failures: number }
  /** maxretry was reached. `renewed`: the id was banned already and its ban now lasts longer. */
  | { readonly kind: 'ban'; readonly failures: number; readonly ban: Ban; readonly renewed: boolean }
  /** maxretry was reached, but by failures so old that the ban would be over. */
  | { readonly kind: 'expired'; readonly failures: number };

/**
 * One jail: counts failures, decides bans and remembers them until they end. It knows no clock and no firewall;
 * the caller gives the time (epoch milliseconds) and carries the decisions out.
 */
export class Jail {
  readonly name: string;
  readonly #counter: FailureCounter;
  readonly #bans = new Map<string, Ban>();
  #spec: JailSpec;
  #ignored: IgnoreList;
  #totalBans = 0;
  /** No ban ends before this. */
  #nextExpiry = Infinity;

  constructor(spec: JailSpec) {
    this.name = spec.name;
    this.#spec = spec;
    this.#counter = new FailureCounter(spec.maxretry, spec.findtime);
    this.#ignored = new IgnoreList(spec.ignoreip);
  }

  get spec(): JailSpec {
    return this.#spec;
  }

  /** Takes new options; counts and bans stay. */
  update(spec: JailSpec): void {
    this.#spec = spec;
    this.#counter.setLimits(spec.maxretry, spec.findtime);
    this.#ignored = new IgnoreList(spec.ignoreip);
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

  /** Counts a failure. A date in the future counts as now, as in fail2ban. */
  observe(failure: Failure, now: number): Verdict {
    if (this.#ignored.has(failure.id)) return { kind: 'ignored' };
    const { failures, last, reached } = this.#counter.add(
      failure.id,
      Math.min(failure.time, now),
      failure.attempts,
    );
    if (!reached) return { kind: 'found', failures };
    const until = this.#endOf(last);
    if (until !== undefined && until < now) return { kind: 'expired', failures };
    const known = this.#bans.get(failure.id);
    if (known && !outlasts(until, known.until)) return { kind: 'found', failures };
    const ban: Ban = { jail: this.name, ip: failure.id, since: known?.since ?? last, until };
    this.#hold(ban);
    return { kind: 'ban', failures, ban, renewed: known !== undefined };
  }

  /** Bans by hand, whatever `ignoreip` says. As in fail2ban, a ban that is in force only ever gets longer; undefined: it lasts as long already. */
  ban(ip: string, now: number): { readonly ban: Ban; readonly renewed: boolean } | undefined {
    const known = this.#bans.get(ip);
    const until = this.#endOf(now);
    if (known && !outlasts(until, known.until)) return undefined;
    const ban: Ban = { jail: this.name, ip, since: known?.since ?? now, until };
    this.#hold(ban);
    return { ban, renewed: known !== undefined };
  }

  /** Takes over a ban that was in force before this process started. */
  restore(ban: Ban): void {
    this.#hold(ban);
  }

  /** Ends a ban and forgets the failures. Undefined: it wasn't banned. */
  unban(ip: string): Ban | undefined {
    const ban = this.#bans.get(ip);
    this.#bans.delete(ip);
    this.#counter.forget(ip);
    return ban;
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

  #hold(ban: Ban): void {
    if (!this.#bans.has(ban.ip)) this.#totalBans += 1;
    this.#bans.set(ban.ip, ban);
    if (ban.until !== undefined && ban.until < this.#nextExpiry) this.#nextExpiry = ban.until;
  }

  #endOf(since: number): number | undefined {
    return this.#spec.bantime < 0 ? undefined : since + this.#spec.bantime * 1000;
  }
}

function outlasts(until: number | undefined, other: number | undefined): boolean {
  return other !== undefined && (until === undefined || until > other);
}
