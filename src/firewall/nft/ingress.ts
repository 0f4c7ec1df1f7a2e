import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Serial } from '../../async/serial.ts';
import type { AccessSpec } from '../../config/labels/access-spec.ts';
import { messageOf } from '../../errors.ts';
import type { Ban } from '../../jail/ban.ts';
import {
  idOf,
  type BanKey,
  type BanFirewall,
  type FirewallInfo,
  type GuardedJail,
  type MovableFirewall,
  type Reconciliation,
  type Refusal,
} from '../firewall.ts';
import { FirewallError, isWithoutTraces } from '../tool/errors.ts';
import { ingressLayout, ingressTable } from './ingress-plan.ts';
import { failedShortfalls, missingShortfalls } from './ingress-shortfalls.ts';
import type { NftKeeper, TableReconciliation } from './keeper.ts';
import { accessOwner } from './names.ts';

/**
 * A firewall whose bans, and what labels say of who gets in, hold for containers on macvlan and ipvlan, too: their packets pass none of the
 * hooks at which the inner one stands, so they are stopped at the ingress of the interface by which they come. The inner one decides what is in
 * force; without such containers nothing else is done, and there is no table at ingress.
 */
export class IngressFirewall implements BanFirewall {
  readonly #inner: MovableFirewall;
  readonly #keeper: NftKeeper;
  readonly #procNet: string;
  readonly #serial = new Serial();
  /** The jails whose bans the keeper has. */
  readonly #followed = new Set<string>();
  /** The interfaces at whose ingress rules stand. */
  #devices: readonly string[] = [];
  /** What an earlier run left counts as there, until it was looked for. */
  #mayBeThere = true;
  #canReject = true;

  /**
   * @param keeper of `ingressTable`
   * @param procNet `/proc/net` of the network namespace in which the tools work
   */
  constructor(inner: MovableFirewall, keeper: NftKeeper, procNet: string) {
    this.#inner = inner;
    this.#keeper = keeper;
    this.#procNet = procNet;
  }

  get info(): FirewallInfo | undefined {
    const { info } = this.#inner;
    if (!info || this.#devices.length === 0) return info;
    const at = this.#devices.join(', ');
    const remark = `table ${ingressTable} at ingress of ${at}, for containers on macvlan and ipvlan`;
    return { ...info, remarks: [...info.remarks, remark] };
  }

  open(): Promise<FirewallInfo> {
    return this.#inner.open();
  }

  takeOver(jails: readonly string[]): Promise<ReadonlyMap<string, readonly Ban[]>> {
    return this.#inner.takeOver(jails);
  }

  async reconcile(
    jails: readonly GuardedJail[],
    accesses: readonly AccessSpec[] = [],
  ): Promise<Reconciliation> {
    const inner = await this.#inner.reconcile(jails, accesses);
    const direct = jails.filter((jail) => jail.direct?.length);
    const closed = accesses.filter((access) => access.direct?.length);
    const own = await this.#serial.run(() => this.#reconcile(direct, closed));
    return {
      repairs: [...inner.repairs, ...own.repairs],
      shortfalls: [...inner.shortfalls, ...own.shortfalls],
      refused: inner.refused,
    };
  }

  async ban(bans: readonly Ban[]): Promise<readonly Refusal[]> {
    const [inner] = await Promise.allSettled([this.#inner.ban(bans)]);
    const refused = inner.status === 'fulfilled' ? inner.value : [];
    const ids = new Set(refused.map(idOf));
    // What the inner one could not write may well hold here.
    await this.#keeper.book.ban(this.#ofFollowed(bans).filter((ban) => !ids.has(idOf(ban))));
    if (inner.status === 'rejected') throw inner.reason;
    return refused;
  }

  async unban(bans: readonly BanKey[]): Promise<void> {
    const [inner] = await Promise.allSettled([this.#inner.unban(bans)]);
    await this.#keeper.book.unban(this.#ofFollowed(bans));
    if (inner.status === 'rejected') throw inner.reason;
  }

  async flush(): Promise<void> {
    const [inner] = await Promise.allSettled([this.#inner.flush()]);
    this.#mayBeThere = true;
    await this.#serial.run(() => this.#remove());
    if (inner.status === 'rejected') throw inner.reason;
  }

  async close(): Promise<void> {
    await Promise.all([this.#inner.close(), this.#serial.run(() => this.#keeper.close())]);
  }

  #ofFollowed<Key extends BanKey>(bans: readonly Key[]): readonly Key[] {
    return this.#followed.size === 0 ? [] : bans.filter(({ jail }) => this.#followed.has(jail));
  }

  /** Brings the table to what these jails and labels need. What can't be done is told, not thrown. */
  async #reconcile(
    jails: readonly GuardedJail[],
    accesses: readonly AccessSpec[],
  ): Promise<Pick<Reconciliation, 'repairs' | 'shortfalls'>> {
    try {
      if (jails.length === 0 && accesses.length === 0) {
        await this.#remove();
        return { repairs: [], shortfalls: [] };
      }
      this.#mayBeThere = true;
      await this.#follow(new Set(jails.map(({ name }) => name)));
      const devices = await this.#readDevices();
      const { repairs, failures } = await this.#write(jails, accesses, devices);
      const parents = [...jails, ...accesses].flatMap(({ direct = [] }) =>
        direct.map(({ parent }) => parent),
      );
      this.#devices = [...new Set(parents)].filter((parent) => devices.has(parent)).toSorted();
      const failed = [...failures].flatMap(([owner, error]) =>
        failedShortfalls(
          jails.filter(({ name }) => name === owner),
          accesses.filter(({ container }) => accessOwner(container) === owner),
          error,
        ),
      );
      return { repairs, shortfalls: [...failed, ...missingShortfalls(jails, accesses, devices)] };
    } catch (error) {
      if (!(error instanceof FirewallError)) throw error;
      return { repairs: [], shortfalls: failedShortfalls(jails, accesses, error) };
    }
  }

  /** Gives the keeper the bans of these jails, and of no others. */
  async #follow(jails: ReadonlySet<string>): Promise<void> {
    for (const jail of this.#followed) if (!jails.has(jail)) this.#followed.delete(jail);
    const gone = [...this.#keeper.book.bans].filter(({ jail }) => !jails.has(jail));
    const come = [...jails].filter((jail) => !this.#followed.has(jail));
    const held = come.length > 0 ? [...(await this.#keeper.takeOver(come)).values()].flat() : [];
    // From this moment on, `ban` and `unban` tell it what changes.
    for (const jail of come) this.#followed.add(jail);
    const wanted = come.length > 0 ? [...this.#inner.bans].filter(({ jail }) => come.includes(jail)) : [];
    const ids = new Set(wanted.map(idOf));
    const strangers = held.filter((ban) => !ids.has(idOf(ban)));
    await Promise.all([this.#keeper.book.unban([...gone, ...strangers]), this.#keeper.book.ban(wanted)]);
  }

  async #write(
    jails: readonly GuardedJail[],
    accesses: readonly AccessSpec[],
    devices: ReadonlySet<string>,
  ): Promise<TableReconciliation> {
    const names = jails.map(({ name }) => name);
    const write = (): Promise<TableReconciliation> => {
      const blocktype = 'drop';
      const guarded = this.#canReject ? jails : jails.map((jail) => ({ ...jail, blocktype }) as const);
      return this.#keeper.reconcile(names, (places) => ingressLayout(guarded, places, accesses, devices));
    };
    const isRejecting = this.#canReject && jails.some(({ blocktype }) => blocktype === 'reject');
    let repairs: TableReconciliation['repairs'] = [];
    try {
      const written = await write();
      const [failure] = written.failures.values();
      if (!failure || !isRejecting) return written;
      ({ repairs } = written);
      throw failure;
    } catch (error) {
      if (!(error instanceof FirewallError) || !isRejecting) throw error;
      // Perhaps the kernel can't refuse packets here (before Linux 5.11): better dropped than let in.
      this.#canReject = false;
      let isBetter = false;
      try {
        const written = await write();
        isBetter = written.failures.size === 0;
        // What could not be written just now is nothing that somebody has removed.
        return { ...written, repairs };
      } finally {
        this.#canReject = !isBetter;
      }
    }
  }

  async #remove(): Promise<void> {
    this.#followed.clear();
    this.#devices = [];
    if (!this.#mayBeThere) return;
    try {
      await this.#keeper.destroyAll();
      await this.#keeper.close();
    } catch (error) {
      if (!isWithoutTraces(error)) throw error;
    }
    this.#mayBeThere = false;
  }

  /** The interfaces that exist. */
  async #readDevices(): Promise<ReadonlySet<string>> {
    const text = await readFile(join(this.#procNet, 'dev'), 'utf8').catch((cause: unknown) => {
      throw new FirewallError('firewall-failed', `the interfaces can't be read: ${messageOf(cause)}`, {
        cause,
      });
    });
    return new Set(Array.from(text.matchAll(/^ *(\S+):/gm), ([, name = '']) => name));
  }
}
