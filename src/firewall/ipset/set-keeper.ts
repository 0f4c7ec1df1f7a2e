import { familyOf, type Family } from '../../net/address.ts';
import type { Ban } from '../../jail/ban.ts';
import type { BackendOptions } from '../backend.ts';
import { BanBook } from '../bans/ban-book.ts';
import { BanIndex } from '../bans/ban-index.ts';
import { allSet, isOurSet, jailSet } from '../bans/set-names.ts';
import { idOf, type Reconciliation, type Refusal } from '../firewall.ts';
import { isOurs, longestTimeout, type SetHeader } from './ipset-text.ts';
import { IpsetWriter, type RefusedLine } from './ipset-writer.ts';
import { SetBatch } from './set-batch.ts';
import { SetCheck } from './set-check.ts';

/** What a look at the sets came to. */
export interface SetReconciliation extends Reconciliation {
  /** Names of sets that rules must not refer to. */
  readonly unusable: ReadonlySet<string>;
}

/** Keeps the sets of banned addresses and prefixes: one a jail and family, and one a family for all jails. */
export class SetKeeper {
  readonly book: BanBook<SetBatch>;
  readonly #writer: IpsetWriter;
  readonly #index = new BanIndex();
  readonly #check: SetCheck;
  #families: readonly Family[] = [4];

  constructor({ tools, neverBan, now = Date.now }: BackendOptions) {
    const writer = new IpsetWriter(tools);
    this.#writer = writer;
    const check = new SetCheck(writer, this.#index, now);
    this.#check = check;
    this.book = new BanBook({
      index: this.#index,
      sets: {
        longestTimeout,
        mostAtOnce: 20_000,
        newBatch: () => new SetBatch(this.#families),
        isSure: (jail) => !check.isDoubtful(jail),
        doubt: (jail) => check.doubt(jail),
        write: async (batch) => this.#settle(await writer.write(batch.lines(), batch.preparation())),
      },
      now,
      neverBan,
    });
  }

  /** @throws FirewallError if the sets can't be read */
  async open(families: readonly Family[]): Promise<void> {
    this.#families = families;
    await this.book.serial.run(() => this.#writer.headers());
    this.#writer.open();
  }

  takeOver(jails: readonly string[]): Promise<ReadonlyMap<string, readonly Ban[]>> {
    return this.book.serial.run(async () => {
      const headers = await this.#writer.headers();
      const batch = new SetBatch(this.#families);
      const held = new Map<string, readonly Ban[]>();
      for (const jail of jails) {
        const bans: Ban[] = [];
        for (const family of this.#families) {
          for (const ban of await this.#takeOverSet(jail, family, headers, batch)) bans.push(ban);
        }
        held.set(jail, bans);
      }
      await this.book.write(batch);
      return held;
    });
  }

  /** @param jails names of those that rules will refer to */
  reconcile(jails: readonly string[]): Promise<SetReconciliation> {
    return this.book.serial.run(async () => {
      const batch = new SetBatch(this.#families);
      const { written, ...found } = await this.book.reconcile(batch, async (purge) => {
        purge();
        const findings = await this.#check.run(jails, this.#families, batch);
        return { ...findings, written: await this.book.write(batch) };
      });
      return { ...found, refused: [...found.refused, ...written] };
    });
  }

  /** Destroys every set of ours, also those of earlier runs. */
  destroyAll(): Promise<void> {
    return this.book.serial.run(async () => {
      this.#index.clear();
      this.#check.forget();
      const ours = [...(await this.#writer.headers()).keys()].filter(isOurSet);
      const [first] = await this.#writer.write(ours.map((set) => `destroy ${set}`));
      if (first) throw first.error;
    });
  }

  /** Does something else with the same tool, between two writes of bans. */
  between<Result>(job: (writer: IpsetWriter) => Promise<Result>): Promise<Result> {
    return this.book.serial.run(() => job(this.#writer));
  }

  close(): Promise<void> {
    return this.book.serial.run(async () => this.#writer.close());
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
    const members = header && header.entries > 0 ? await this.#writer.members(set) : [];
    const bans = this.book.takeOver(jail, members, batch);
    // Not before all of it was read, or the rest would be taken for strangers.
    this.#check.trust(jail, family);
    if (header) this.#check.doubt(undefined);
    return bans;
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
