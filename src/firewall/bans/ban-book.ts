import type { Ban } from '../../jail/ban.ts';
import { Serial } from '../../async/serial.ts';
import type { BanKey, Refusal } from '../firewall.ts';
import type { BanIndex } from './ban-index.ts';
import { BanRequests, type Request } from './ban-requests.ts';
import type { NeverBan } from './never-ban.ts';
import { secondsLeft } from './timeouts.ts';

/** Changes that are written to the kernel together. The union sets, which hold every jail's bans, stand under the jail `undefined`. */
export interface BanBatch {
  /** @param seconds 0 is for ever  @param isNew whether it is certain that the kernel doesn't hold it */
  add(jail: string | undefined, ip: string, seconds: number, isNew: boolean): void;
  /** Whether or not it is there. */
  del(jail: string | undefined, ip: string): void;
  /** Those whose sets it changes. */
  readonly jails: Iterable<string | undefined>;
}

/** The sets of a backend, as its book sees them. */
export interface BanSets<Batch extends BanBatch> {
  /** The longest timeout that they take, in seconds. */
  readonly longestTimeout: number;
  /** So many requests go into one batch: more would take much memory for a moment. */
  readonly mostAtOnce: number;
  newBatch(): Batch;
  /** Whether a jail's sets surely hold what the index says. */
  isSure(jail: string | undefined): boolean;
  /** A jail's sets may lack something, or hold too much. */
  doubt(jail: string | undefined): void;
  /**
   * @param keys the bans that the batch is about
   * @returns those that the kernel would not take
   * @throws FirewallError if the kernel can't be written
   */
  write(batch: Batch, keys: readonly BanKey[]): Promise<readonly Refusal[]>;
}

export interface BanBookOptions<Batch extends BanBatch> {
  readonly index: BanIndex;
  readonly sets: BanSets<Batch>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** The addresses that may not be banned at this moment; a new object when they change. */
  readonly neverBan: () => NeverBan;
}

/** A difference in the end of a ban that isn't worth a write. Milliseconds. */
const sameEnd = 2000;

/** Keeps account of the bans that a backend was asked for, and brings each into its sets. No address gets in that must not be banned. */
export class BanBook<Batch extends BanBatch> {
  /** Whatever touches the kernel is a job of this. */
  readonly serial = new Serial();
  readonly #index: BanIndex;
  readonly #sets: BanSets<Batch>;
  readonly #now: () => number;
  readonly #neverBan: () => NeverBan;
  readonly #requests = new BanRequests(this.serial, (requests) => this.#carryOut(requests));
  readonly #watchers = new Set<Set<string>>();
  #checkedNeverBan: NeverBan | undefined;

  constructor({ index, sets, now, neverBan }: BanBookOptions<Batch>) {
    this.#index = index;
    this.#sets = sets;
    this.#now = now;
    this.#neverBan = neverBan;
  }

  /** The bans that were asked for and haven't ended. */
  get bans(): Iterable<Ban> {
    return this.#index.live(this.#now());
  }

  ban(bans: readonly Ban[]): Promise<readonly Refusal[]> {
    return this.#requests.add(bans.map((ban) => ({ jail: ban.jail, ip: ban.ip, ban })));
  }

  async unban(keys: readonly BanKey[]): Promise<void> {
    await this.#requests.add(keys.map(({ jail, ip }) => ({ jail, ip, ban: undefined })));
  }

  /** @param job gets the addresses and prefixes that are banned or unbanned while it runs */
  async watching<Result>(job: (changed: ReadonlySet<string>) => Promise<Result>): Promise<Result> {
    const changed = new Set<string>();
    this.#watchers.add(changed);
    try {
      return await job(changed);
    } finally {
      this.#watchers.delete(changed);
    }
  }

  /**
   * Takes over what one of a jail's sets holds. What must not be banned is returned, too, but taken out by `batch`.
   * @param members address or prefix, and seconds left, 0 for ever
   */
  takeOver(
    jail: string,
    members: Iterable<readonly [ip: string, seconds: number]>,
    batch: BanBatch,
  ): readonly Ban[] {
    const [now, neverBan] = [this.#now(), this.#neverBan()];
    return Array.from(members, ([ip, seconds]) => {
      const ban = { jail, ip, since: now, until: seconds === 0 ? undefined : now + seconds * 1000 };
      if (neverBan.find(ip)) {
        batch.del(jail, ip);
        if (this.#index.longest(ip) === undefined) batch.del(undefined, ip);
      } else if (!this.#index.get(jail, ip)) this.#index.put(ban);
      return ban;
    });
  }

  /**
   * A reconcile, in which the bans of addresses that have become ones that must not be banned are given up.
   * @param job calls `purge` whenever something was waited for: it puts into `batch` what is given up
   */
  async reconcile<Result>(
    batch: BanBatch,
    job: (purge: () => void) => Promise<Result>,
  ): Promise<Result & { readonly refused: readonly Refusal[] }> {
    const purged = new Map<Ban, Refusal>();
    try {
      const result = await job(() => this.#purge(batch, purged));
      return { ...result, refused: [...purged.values()] };
    } catch (error) {
      // They are still in the kernel, and nobody has been told that they were given up.
      for (const ban of purged.keys()) this.#index.put(ban);
      this.#checkedNeverBan = undefined;
      throw error;
    }
  }

  /** @param keys the bans that the batch is about */
  async write(batch: Batch, keys: readonly BanKey[] = []): Promise<readonly Refusal[]> {
    try {
      return await this.#sets.write(batch, keys);
    } catch (error) {
      for (const jail of batch.jails) this.#sets.doubt(jail);
      throw error;
    }
  }

  async #carryOut(requests: readonly Request[]): Promise<readonly Refusal[]> {
    const refused: Refusal[] = [];
    const { mostAtOnce } = this.#sets;
    for (let from = 0; from < requests.length; from += mostAtOnce) {
      try {
        const some = await this.#carryOutSome(requests.slice(from, from + mostAtOnce));
        for (const refusal of some) refused.push(refusal);
      } catch (error) {
        for (const request of requests.slice(from + mostAtOnce)) {
          this.#remember(request);
          for (const jail of [request.jail, undefined]) this.#sets.doubt(jail);
        }
        throw error;
      }
    }
    return refused;
  }

  async #carryOutSome(requests: readonly Request[]): Promise<readonly Refusal[]> {
    const now = this.#now();
    const batch = this.#sets.newBatch();
    const refused: Refusal[] = [];
    const keys: BanKey[] = [];
    /** Address or prefix → its longest ban before. */
    const touched = new Map<string, Ban | undefined>();
    for (const request of requests) {
      const { jail, ip, ban } = request;
      for (const changed of this.#watchers) changed.add(ip);
      const held = this.#index.get(jail, ip);
      const before = this.#index.longest(ip);
      const refusal = this.#remember(request);
      if (refusal) refused.push(refusal);
      if (refusal && !held) continue;
      if (!touched.has(ip)) touched.set(ip, before);
      if (this.#batch(batch, { jail, ip }, held, refusal ? undefined : ban, now)) keys.push({ jail, ip });
    }
    for (const [ip, before] of touched)
      this.#batch(batch, { jail: undefined, ip }, before, this.#index.longest(ip), now);
    return [...refused, ...(await this.write(batch, keys))];
  }

  /** Puts into a batch what makes one ban of another, if it is needed. @returns whether it was */
  #batch(
    batch: Batch,
    { jail, ip }: { readonly jail: string | undefined; readonly ip: string },
    before: Ban | undefined,
    wanted: Ban | undefined,
    now: number,
  ): boolean {
    if (!wanted || hasEnded(wanted, now)) {
      batch.del(jail, ip);
      return true;
    }
    const isSure = this.#sets.isSure(jail);
    if (before && isSure && isSame(before, wanted, now)) return false;
    batch.add(jail, ip, secondsLeft(wanted.until, now, this.#sets.longestTimeout), isSure && !before);
    return true;
  }

  /** Puts into the index what is wanted, unless it must never be: what is in there may be written at any time. */
  #remember({ jail, ip, ban }: Request): Refusal | undefined {
    const reason = ban && this.#neverBan().find(ip);
    if (ban && !reason) this.#index.put(ban);
    else this.#index.remove(jail, ip);
    return reason && { jail, ip, kind: reason.kind, reason: reason.text };
  }

  #purge(batch: BanBatch, purged: Map<Ban, Refusal>): void {
    const neverBan = this.#neverBan();
    if (neverBan === this.#checkedNeverBan) return;
    this.#checkedNeverBan = neverBan;
    for (const ban of this.bans) {
      const { jail, ip } = ban;
      const reason = neverBan.find(ip);
      if (!reason) continue;
      purged.set(ban, { jail, ip, kind: reason.kind, reason: reason.text });
      this.#index.remove(jail, ip);
      batch.del(jail, ip);
      batch.del(undefined, ip);
    }
  }
}

function hasEnded({ until }: Ban, now: number): boolean {
  return until !== undefined && until <= now;
}

/** Whether what the kernel holds for one ban will do for the other. */
function isSame(held: Ban, wanted: Ban, now: number): boolean {
  if (hasEnded(held, now)) return false;
  const [a, b] = [held.until, wanted.until];
  return a === b || (a !== undefined && b !== undefined && Math.abs(a - b) <= sameEnd);
}
