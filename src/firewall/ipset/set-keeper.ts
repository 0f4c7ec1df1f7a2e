import { familyOf, type Family } from '../../net/address.ts';
import type { Ban } from '../../jail/ban.ts';
import { BanIndex } from '../bans/ban-index.ts';
import { BanRequests, type Request } from '../bans/ban-requests.ts';
import type { BanKey, Reconciliation, Refusal } from '../firewall.ts';
import type { IpsetWriter, RefusedLine } from './ipset-writer.ts';
import { isOurs, timeoutFor, type SetHeader } from './ipset-text.ts';
import type { NeverBan } from '../bans/never-ban.ts';
import { Serial } from '../../async/serial.ts';
import { SetBatch } from './set-batch.ts';
import { SetCheck } from './set-check.ts';
import { allSet, isOurSet, jailSet } from '../bans/set-names.ts';

export interface SetKeeperOptions {
  readonly writer: IpsetWriter;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** The addresses that may not be banned at this moment; a new object when they change. */
  readonly neverBan: () => NeverBan;
}

/** What a look at the sets came to. */
export interface SetReconciliation extends Reconciliation {
  /** Names of sets that rules must not refer to. */
  readonly unusable: ReadonlySet<string>;
}

/** A difference in the end of a ban that isn't worth a write. Milliseconds. */
const sameEnd = 2000;

/** Bans that are written together: more would take much memory for a moment. */
const mostAtOnce = 20_000;

/** Keeps the sets of banned addresses and prefixes: one a jail and family, and one a family for all jails. */
export class SetKeeper {
  readonly #writer: IpsetWriter;
  readonly #now: () => number;
  readonly #neverBan: () => NeverBan;
  readonly #index = new BanIndex();
  readonly #serial = new Serial();
  readonly #check: SetCheck;
  #families: readonly Family[] = [4];
  readonly #requests = new BanRequests(this.#serial, (requests) => this.#carryOut(requests));
  #checkedNeverBan: NeverBan | undefined;

  constructor({ writer, now, neverBan }: SetKeeperOptions) {
    this.#writer = writer;
    this.#now = now;
    this.#neverBan = neverBan;
    this.#check = new SetCheck(writer, this.#index, now);
  }

  /** The bans that were asked for and haven't ended. */
  get bans(): Iterable<Ban> {
    return this.#index.live(this.#now());
  }

  /** @throws FirewallError if the sets can't be read */
  async open(families: readonly Family[]): Promise<void> {
    this.#families = families;
    await this.#serial.run(() => this.#writer.headers());
    this.#writer.open();
  }

  ban(bans: readonly Ban[]): Promise<readonly Refusal[]> {
    return this.#requests.add(bans.map((ban) => ({ jail: ban.jail, ip: ban.ip, ban })));
  }

  async unban(keys: readonly BanKey[]): Promise<void> {
    await this.#requests.add(keys.map(({ jail, ip }) => ({ jail, ip, ban: undefined })));
  }

  takeOver(jails: readonly string[]): Promise<ReadonlyMap<string, readonly Ban[]>> {
    return this.#serial.run(async () => {
      const headers = await this.#writer.headers();
      const batch = new SetBatch();
      const held = new Map<string, readonly Ban[]>();
      for (const jail of jails) {
        const bans: Ban[] = [];
        for (const family of this.#families) {
          for (const ban of await this.#takeOverSet(jail, family, headers, batch)) bans.push(ban);
        }
        held.set(jail, bans);
      }
      await this.#write(batch);
      return held;
    });
  }

  /** @param jails names of those that rules will refer to */
  reconcile(jails: readonly string[]): Promise<SetReconciliation> {
    return this.#serial.run(async () => {
      const batch = new SetBatch();
      const purged = this.#purge(batch);
      try {
        const found = await this.#check.run(jails, this.#families, batch);
        const refused = this.#settle(await this.#write(batch));
        return { ...found, refused: [...purged.map(([, refusal]) => refusal), ...refused] };
      } catch (error) {
        // They are still in the kernel, and nobody has been told that they were given up.
        for (const [ban] of purged) this.#index.put(ban);
        this.#checkedNeverBan = undefined;
        throw error;
      }
    });
  }

  /** Destroys every set of ours, also those of earlier runs. */
  destroyAll(): Promise<void> {
    return this.#serial.run(async () => {
      this.#index.clear();
      this.#check.forget();
      const ours = [...(await this.#writer.headers()).keys()].filter(isOurSet);
      const [first] = await this.#writer.write(ours.map((set) => `destroy ${set}`));
      if (first) throw first.error;
    });
  }

  /** Does something else with the same tool, between two writes of bans. */
  between<Result>(job: (writer: IpsetWriter) => Promise<Result>): Promise<Result> {
    return this.#serial.run(() => job(this.#writer));
  }

  close(): Promise<void> {
    return this.#serial.run(async () => this.#writer.close());
  }

  async #carryOut(requests: readonly Request[]): Promise<readonly Refusal[]> {
    const refused: Refusal[] = [];
    for (let from = 0; from < requests.length; from += mostAtOnce) {
      try {
        refused.push(...(await this.#carryOutSome(requests.slice(from, from + mostAtOnce))));
      } catch (error) {
        for (const request of requests.slice(from + mostAtOnce)) {
          this.#remember(request);
          this.#check.doubt(request.jail);
        }
        throw error;
      }
    }
    return refused;
  }

  async #carryOutSome(requests: readonly Request[]): Promise<Refusal[]> {
    const now = this.#now();
    const batch = new SetBatch();
    const refused: Refusal[] = [];
    for (const request of requests) {
      const { jail, ip, ban } = request;
      const held = this.#index.get(jail, ip);
      const refusal = this.#remember(request);
      if (refusal) refused.push(refusal);
      if (!this.#families.includes(familyOf(ip))) continue;
      if (ban && !refusal && !hasEnded(ban, now)) {
        const isHeld = held && !hasEnded(held, now) && isSameEnd(held.until, ban.until);
        if (isHeld && !this.#check.isDoubtful(jail)) continue;
        batch.add(jail, ip, timeoutFor(ban.until, now));
      } else batch.del(jail, ip);
      if (refusal) batch.del(undefined, ip);
      else this.#batchAll(batch, ip, now);
    }
    for (const refusal of this.#settle(await this.#write(batch))) refused.push(refusal);
    return refused;
  }

  /** Puts into the index what is wanted, unless it must never be: what is in there may be written at any time. */
  #remember({ jail, ip, ban }: Request): Refusal | undefined {
    const reason = ban && this.#neverBan().find(ip);
    if (ban && !reason) this.#index.put(ban);
    else this.#index.remove(jail, ip);
    return reason && { jail, ip, kind: reason.kind, reason: reason.text };
  }

  async #write(batch: SetBatch): Promise<readonly RefusedLine[]> {
    try {
      return await this.#writer.write(batch.lines(), batch.preparation());
    } catch (error) {
      // A new end of a ban that didn't get through can't be seen from the number of entries.
      for (const jail of batch.jails) this.#check.doubt(jail);
      throw error;
    }
  }

  /** The set of all addresses holds one as long as the longest of its bans. */
  #batchAll(batch: SetBatch, ip: string, now: number): void {
    const longest = this.#index.longest(ip);
    if (longest && !hasEnded(longest, now)) batch.add(undefined, ip, timeoutFor(longest.until, now));
    else batch.del(undefined, ip);
  }

  async #takeOverSet(
    jail: string,
    family: Family,
    headers: ReadonlyMap<string, SetHeader>,
    batch: SetBatch,
  ): Promise<readonly Ban[]> {
    const set = jailSet(jail, family);
    const header = headers.get(set);
    if (header && !isOurs(header, family)) return [];
    if (!header) {
      this.#check.trust(jail, family);
      return [];
    }
    const members = header.entries > 0 ? await this.#writer.members(set) : [];
    const now = this.#now();
    const bans: Ban[] = [];
    for (const [ip, timeout] of members) {
      const ban = { jail, ip, since: now, until: timeout === 0 ? undefined : now + timeout * 1000 };
      bans.push(ban);
      if (this.#neverBan().find(ip)) {
        batch.del(jail, ip);
        if (this.#index.longest(ip) === undefined) batch.del(undefined, ip);
      } else if (!this.#index.get(jail, ip)) this.#index.put(ban);
    }
    // Not before all of it was read, or the rest would be taken for strangers.
    this.#check.trust(jail, family);
    this.#check.doubt(undefined);
    return bans;
  }

  /** Gives up the bans of addresses that have become ones that must not be banned. */
  #purge(batch: SetBatch): [Ban, Refusal][] {
    const neverBan = this.#neverBan();
    if (neverBan === this.#checkedNeverBan) return [];
    this.#checkedNeverBan = neverBan;
    const purged: [Ban, Refusal][] = [];
    for (const ban of this.#index.live(this.#now())) {
      const { jail, ip } = ban;
      const reason = neverBan.find(ip);
      if (!reason) continue;
      purged.push([ban, { jail, ip, kind: reason.kind, reason: reason.text }]);
      this.#index.remove(jail, ip);
      if (!this.#families.includes(familyOf(ip))) continue;
      batch.del(jail, ip);
      batch.del(undefined, ip);
    }
    return purged;
  }

  /** Tells whose bans the refused lines were, and forgets those that the kernel will never take. */
  #settle(lines: readonly RefusedLine[]): Refusal[] {
    const refused = new Map<string, Refusal>();
    for (const { line, error } of lines) {
      const [verb, set, ip] = line.split(' ');
      if (verb !== 'add' || ip === undefined) continue;
      const family = familyOf(ip);
      for (const { jail } of this.#index.of(ip)) {
        if (set !== allSet(family) && set !== jailSet(jail, family)) continue;
        const refusal: Refusal = { jail, ip, kind: 'kernel', reason: error.message };
        refused.set(idOf(refusal), refusal);
        if (error.code === 'firewall-refused') this.#index.remove(jail, ip);
      }
    }
    return [...refused.values()];
  }
}

function idOf({ jail, ip }: BanKey): string {
  return `${ip} ${jail}`;
}

function hasEnded({ until }: Ban, now: number): boolean {
  return until !== undefined && until <= now;
}

function isSameEnd(a: number | undefined, b: number | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && Math.abs(a - b) <= sameEnd);
}
