import type { Ban } from '../../jail/ban.ts';
import type { BackendOptions } from '../backend.ts';
import { BanBook } from '../bans/ban-book.ts';
import { BanIndex } from '../bans/ban-index.ts';
import type { BanKey, Reconciliation, Refusal } from '../firewall.ts';
import { FirewallError } from '../tool/errors.ts';
import { longestTimeout, NftBatch } from './batch.ts';
import { NftCheck } from './check.ts';
import type { Audited } from './table-state.ts';
import { compareSets } from './members.ts';
import { placeFinder, prefixText } from './names.ts';
import { NftTable, type Plan } from './table.ts';
import { NftTool, type Failures } from './tool.ts';

/** What a look at a table came to. */
export interface TableReconciliation extends Pick<Reconciliation, 'repairs' | 'refused'> {
  readonly failures: Failures;
}

/** So many sets are read side by side. */
const mostReaders = 3;

/** Keeps the bans in the sets of a table of ours, and the table as it should be. */
export class NftKeeper {
  readonly book: BanBook<NftBatch>;
  readonly #tool: NftTool;
  readonly #now: () => number;
  readonly #index = new BanIndex();
  readonly #table: NftTable;
  readonly #check: NftCheck;

  /** @param table `FAMILY NAME` */
  constructor(table: string, { tools, neverBan, now = Date.now }: BackendOptions) {
    this.#tool = new NftTool(tools, table);
    this.#now = now;
    this.#table = new NftTable(this.#tool);
    const check = new NftCheck(this.#tool, this.#index, now);
    this.#check = check;
    this.book = new BanBook({
      index: this.#index,
      sets: {
        longestTimeout,
        mostAtOnce: 10_000,
        newBatch: () => new NftBatch(),
        isSure: (jail) => check.isSure(jail),
        doubt: (jail) => check.doubt(jail),
        write: async (batch, keys) => this.#settle(await this.#table.write(batch), keys),
      },
      now,
      neverBan,
    });
  }

  /** @throws FirewallError if nft can't read the kernel's tables */
  async open(): Promise<void> {
    await this.book.serial.run(() => this.#tool.list());
    this.#tool.open();
  }

  takeOver(jails: readonly string[]): Promise<ReadonlyMap<string, readonly Ban[]>> {
    return this.book.serial.run(async () => {
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

  /** @param jails those that close something */
  reconcile(jails: readonly string[], plan: Plan): Promise<TableReconciliation> {
    return this.book.watching(async (changed) => {
      const audited = await this.#check.audit(this.#table.places, changed);
      return this.book.serial.run(async () => {
        try {
          return await this.#reconcile(jails, plan, audited);
        } catch (error) {
          // Somebody changed the table after it was read: once more, from what it is now.
          if (!(error instanceof FirewallError && error.code === 'firewall-not-found')) throw error;
          return this.#reconcile(jails, plan, undefined);
        }
      });
    });
  }

  /** Removes the table, and forgets all bans. */
  destroyAll(): Promise<void> {
    return this.book.serial.run(async () => {
      this.#index.clear();
      this.#check.forget();
      this.#table.forget();
      if ((await this.#tool.list()).blocks.size > 0) await this.#tool.remove();
    });
  }

  close(): Promise<void> {
    return this.book.serial.run(async () => this.#tool.close());
  }

  #reconcile(
    jails: readonly string[],
    plan: Plan,
    audited: Audited | undefined,
  ): Promise<TableReconciliation> {
    const { written, places } = this.#table;
    const batch = new NftBatch();
    return this.book.reconcile(batch, async (purge) => {
      purge();
      const look = await this.#check.look(written, places, jails, audited);
      // Nothing is waited for from here on until the kernel is written, so that no address gets in that must not be banned by then.
      purge();
      const wasThere = (set: string): boolean => written?.blocks.has(`set ${set}`) ?? false;
      const members = compareSets(look, wasThere, this.#index, this.#now(), batch);
      const failures = await this.#table.reconcile(plan, look, batch);
      this.#check.settle(look, failures);
      return { repairs: [...look.repairs, ...members], failures };
    });
  }

  /** Tells whose bans the kernel would not take, and forgets those that it never will. */
  #settle(failures: Failures, keys: readonly BanKey[]): Refusal[] {
    for (const jail of failures.keys()) this.#check.doubt(jail);
    return keys.flatMap(({ jail, ip }): Refusal[] => {
      const error = failures.get(jail);
      if (!error || !this.#index.get(jail, ip)) return [];
      if (error.code === 'firewall-refused') this.#index.remove(jail, ip);
      return [{ jail, ip, kind: 'kernel', reason: error.message }];
    });
  }

  async #takeOverJail(jail: string, sets: readonly string[], batch: NftBatch): Promise<readonly Ban[]> {
    const bans: Ban[] = [];
    const find = placeFinder([jail]);
    for (const set of sets) {
      const place = find(set);
      if (!place) continue;
      const members = await this.#tool.members(set);
      const held = members
        .entries()
        .map(([address, seconds]) => [prefixText(address, place), seconds] as const);
      for (const ban of this.book.takeOver(jail, held, batch)) bans.push(ban);
    }
    // Not before all of it was read, or the rest would be taken for strangers.
    this.#check.trust(jail, bans.length > 0);
    return bans;
  }
}
