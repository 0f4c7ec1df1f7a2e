import type { AccessSpec } from '../../config/labels/access-spec.ts';
import type { Ban } from '../../jail/ban.ts';
import { accessRules } from '../access/access-rules.ts';
import { unclosed } from '../access/access-shortfalls.ts';
import { BanIndex } from '../bans/ban-index.ts';
import { BanRequests, type Request } from '../bans/ban-requests.ts';
import { FirewallError } from '../tool/errors.ts';
import type { BanKey, GuardedJail, Reconciliation, Refusal, Shortfall } from '../firewall.ts';
import { NftBatch, timeoutUntil } from './batch.ts';
import { NftCheck } from './check.ts';
import type { Audited } from './look.ts';
import { compareSets } from './members.ts';
import { containerOf, ownTable, placeFinder, prefixText } from './names.ts';
import { NftTable } from './table.ts';
import type { Failures, NftTool } from './tool.ts';
import type { NeverBan } from '../bans/never-ban.ts';
import { Serial } from '../../async/serial.ts';

export interface NftKeeperOptions {
  readonly tool: NftTool;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** The addresses that may not be banned at this moment; a new object when they change. */
  readonly neverBan: () => NeverBan;
}

/** A difference in the end of a ban that isn't worth a write. Milliseconds. */
const sameEnd = 2000;

/** So many sets are read side by side. */
const mostReaders = 3;

/** So many requests go into one transaction. */
const mostAtOnce = 10_000;

/** Keeps the bans in the sets of our table, and the table as it should be. */
export class NftKeeper {
  readonly #tool: NftTool;
  readonly #now: () => number;
  readonly #neverBan: () => NeverBan;
  readonly #index = new BanIndex();
  readonly #serial = new Serial();
  readonly #requests = new BanRequests(this.#serial, (requests) => this.#carryOut(requests));
  readonly #table: NftTable;
  readonly #check: NftCheck;
  /** Of each reconcile under way: what was changed since it began. */
  readonly #watchers = new Set<Set<string>>();
  #checkedNeverBan: NeverBan | undefined;

  constructor({ tool, now, neverBan }: NftKeeperOptions) {
    this.#tool = tool;
    this.#now = now;
    this.#neverBan = neverBan;
    this.#table = new NftTable(tool);
    this.#check = new NftCheck(tool, this.#index, now);
  }

  /** The bans that were asked for and haven't ended. */
  get bans(): Iterable<Ban> {
    return this.#index.live(this.#now());
  }

  /** @throws FirewallError if nft can't read the kernel's tables */
  async open(): Promise<void> {
    await this.#serial.run(() => this.#tool.list());
    this.#tool.open();
  }

  ban(bans: readonly Ban[]): Promise<readonly Refusal[]> {
    return this.#requests.add(bans.map((ban) => ({ jail: ban.jail, ip: ban.ip, ban })));
  }

  async unban(keys: readonly BanKey[]): Promise<void> {
    await this.#requests.add(keys.map(({ jail, ip }) => ({ jail, ip, ban: undefined })));
  }

  takeOver(jails: readonly string[]): Promise<ReadonlyMap<string, readonly Ban[]>> {
    return this.#serial.run(async () => {
      const listing = await this.#tool.list();
      const sets = [...listing.sets.keys()];
      if (listing.blocks.size === 0) this.#check.beginEmpty();
      const batch = new NftBatch();
      const held = new Map<string, readonly Ban[]>(jails.map((jail) => [jail, []]));
      const queue = jails.values();
      const read = async (): Promise<void> => {
        for (const jail of queue) held.set(jail, await this.#takeOverJail(jail, sets, batch));
      };
      const done = await Promise.allSettled(Array.from({ length: mostReaders }, read));
      const failed = done.find((each) => each.status === 'rejected');
      if (failed) throw failed.reason;
      await this.#tool.write(batch.lines());
      return held;
    });
  }

  /** @param jails those that close something  @param access who gets to which container */
  async reconcile(jails: readonly GuardedJail[], access: readonly AccessSpec[]): Promise<Reconciliation> {
    const changed = new Set<string>();
    this.#watchers.add(changed);
    try {
      const audited = await this.#check.audit(this.#table.places, changed);
      return await this.#serial.run(async () => {
        try {
          return await this.#reconcile(jails, access, audited);
        } catch (error) {
          // Somebody changed the table after it was read: once more, from what it is now.
          if (!(error instanceof FirewallError && error.code === 'firewall-not-found')) throw error;
          return this.#reconcile(jails, access, undefined);
        }
      });
    } finally {
      this.#watchers.delete(changed);
    }
  }

  /** Removes our table, and forgets all bans. */
  destroyAll(): Promise<void> {
    return this.#serial.run(async () => {
      this.#index.clear();
      this.#check.forget();
      this.#table.forget();
      // It can only be deleted if it is there, and adding it does nothing if it is.
      const lines = [`add table ${ownTable}`, `delete table ${ownTable}`];
      await this.#tool.write(lines.map((text) => ({ text, jail: undefined })));
    });
  }

  close(): Promise<void> {
    return this.#serial.run(async () => this.#tool.close());
  }

  async #reconcile(
    jails: readonly GuardedJail[],
    access: readonly AccessSpec[],
    audited: Audited | undefined,
  ): Promise<Reconciliation> {
    const { written, places } = this.#table;
    const batch = new NftBatch();
    const purged: [Ban, Refusal][] = [];
    try {
      this.#purge(batch, purged);
      const look = await this.#check.look(written, places, jails, audited);
      // Nothing is waited for from here on until the kernel is written, so that no address gets in that must not be banned by then.
      this.#purge(batch, purged);
      const wasThere = (set: string): boolean => written?.blocks.has(`set ${set}`) ?? false;
      const members = compareSets(look, wasThere, this.#index, this.#now(), batch);
      const guarded = { jails, access: accessRules(access, this.#neverBan()) };
      const failures = await this.#table.reconcile(guarded, look, batch);
      this.#check.settle(look, failures);
      return {
        repairs: [...look.repairs, ...members],
        shortfalls: [...failures].flatMap(([owner, error]) => shortfalls(owner, error)),
        refused: purged.map(([, refusal]) => refusal),
      };
    } catch (error) {
      // They are still in the kernel, and nobody has been told that they were given up.
      for (const [ban] of purged) this.#index.put(ban);
      this.#checkedNeverBan = undefined;
      throw error;
    }
  }

  /** In parts, so that a hundred thousand bans don't need the memory for all of their text at once. */
  async #carryOut(requests: readonly Request[]): Promise<readonly Refusal[]> {
    const refused: Refusal[] = [];
    for (let i = 0; i < requests.length; i += mostAtOnce) {
      try {
        refused.push(...(await this.#carryOutPart(requests.slice(i, i + mostAtOnce))));
      } catch (error) {
        for (const request of requests.slice(i + mostAtOnce)) {
          this.#remember(request);
          for (const jail of [request.jail, undefined]) this.#check.doubt(jail);
        }
        throw error;
      }
    }
    return refused;
  }

  /** Puts into the index what is wanted, unless it must never be: what is in there may be written at any time. */
  #remember({ jail, ip, ban }: Request): Refusal | undefined {
    const reason = ban && this.#neverBan().find(ip);
    if (ban && !reason) this.#index.put(ban);
    else this.#index.remove(jail, ip);
    return reason && { jail, ip, kind: reason.kind, reason: reason.text };
  }

  async #carryOutPart(requests: readonly Request[]): Promise<readonly Refusal[]> {
    const now = this.#now();
    const batch = new NftBatch();
    const refused: Refusal[] = [];
    const written: BanKey[] = [];
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
      if (ban && !refusal && !hasEnded(ban, now)) {
        const isSure = this.#check.isSure(jail);
        if (held && isSure && isSame(held, ban, now)) continue;
        batch.add(jail, ip, timeoutUntil(ban.until, now), isSure && !held);
      } else batch.del(jail, ip);
      written.push({ jail, ip });
    }
    for (const [ip, before] of touched) this.#batchAll(batch, ip, before, now);
    return [...refused, ...this.#settle(await this.#write(batch), written)];
  }

  /** The sets of all hold an element as long as the longest of its bans. */
  #batchAll(batch: NftBatch, ip: string, before: Ban | undefined, now: number): void {
    const longest = this.#index.longest(ip);
    const isSure = this.#check.isSure(undefined);
    if (!longest || hasEnded(longest, now)) batch.del(undefined, ip);
    else if (!before || !isSure || !isSame(before, longest, now)) {
      batch.add(undefined, ip, timeoutUntil(longest.until, now), isSure && !before);
    }
  }

  async #write(batch: NftBatch): Promise<Failures> {
    try {
      const failures = await this.#table.write(batch);
      for (const jail of failures.keys()) this.#check.doubt(jail);
      return failures;
    } catch (error) {
      for (const { jail } of batch.places) this.#check.doubt(jail);
      throw error;
    }
  }

  /** Tells whose bans the kernel would not take, and forgets those that it never will. */
  #settle(failures: Failures, written: readonly BanKey[]): Refusal[] {
    return written.flatMap(({ jail, ip }): Refusal[] => {
      const error = failures.get(jail);
      if (!error || !this.#index.get(jail, ip)) return [];
      if (error.code === 'firewall-refused') this.#index.remove(jail, ip);
      return [{ jail, ip, kind: 'kernel', reason: error.message }];
    });
  }

  async #takeOverJail(jail: string, sets: readonly string[], batch: NftBatch): Promise<readonly Ban[]> {
    const bans: Ban[] = [];
    let hadMembers = false;
    const find = placeFinder([jail]);
    for (const set of sets) {
      const place = find(set);
      if (!place) continue;
      const members = await this.#tool.members(set);
      hadMembers ||= members.size > 0;
      const [now, neverBan] = [this.#now(), this.#neverBan()];
      for (const [address, seconds] of members) {
        const ip = prefixText(address, place);
        const ban = { jail, ip, since: now, until: seconds === 0 ? undefined : now + seconds * 1000 };
        bans.push(ban);
        if (neverBan.find(ip)) {
          batch.del(jail, ip);
          if (this.#index.longest(ip) === undefined) batch.del(undefined, ip);
        } else if (!this.#index.get(jail, ip)) this.#index.put(ban);
      }
    }
    // Not before all of it was read, or the rest would be taken for strangers.
    this.#check.trust(jail, hadMembers);
    return bans;
  }

  /** Gives up the bans of addresses that have become ones that must not be banned, and puts them into `purged`. */
  #purge(batch: NftBatch, purged: [Ban, Refusal][]): void {
    const neverBan = this.#neverBan();
    if (neverBan === this.#checkedNeverBan) return;
    this.#checkedNeverBan = neverBan;
    for (const ban of this.#index.live(this.#now())) {
      const { jail, ip } = ban;
      const reason = neverBan.find(ip);
      if (!reason) continue;
      purged.push([ban, { jail, ip, kind: reason.kind, reason: reason.text }]);
      this.#index.remove(jail, ip);
      batch.del(jail, ip);
      batch.del(undefined, ip);
    }
  }
}

function shortfalls(owner: string, error: FirewallError): Shortfall[] {
  const container = containerOf(owner);
  if (container !== undefined) return unclosed([container], undefined, error);
  const consequence = `bans of jail ${owner} are not enforced`;
  return [{ jail: owner, family: undefined, consequence, error }];
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
