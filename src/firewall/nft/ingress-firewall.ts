import type { AccessSpec } from '../../config/labels/access-spec.ts';
import type { Ban } from '../../jail/ban.ts';
import { FirewallError } from '../tool/errors.ts';
import type { BanKey, Firewall, FirewallInfo, GuardedJail, Reconciliation, Refusal } from '../firewall.ts';
import { netdevTable } from './ingress-layout.ts';
import type { NetdevKeeper } from './ingress-keeper.ts';

/**
 * A firewall whose bans, and what labels say of who gets in, hold for containers on macvlan and ipvlan, too: their packets pass none of the hooks at which the other stands. The
 * other one decides what is in force; without such containers nothing else is done.
 */
export class NetdevFirewall implements Firewall {
  readonly #inner: Firewall;
  readonly #keeper: NetdevKeeper;

  /** @param keeper of the bans that `inner` was asked for */
  constructor(inner: Firewall, keeper: NetdevKeeper) {
    this.#inner = inner;
    this.#keeper = keeper;
  }

  get info(): FirewallInfo | undefined {
    const { info } = this.#inner;
    const { devices } = this.#keeper;
    if (!info || devices.length === 0) return info;
    const remark = `table ${netdevTable} at ingress of ${devices.join(', ')}, for containers on macvlan and ipvlan`;
    return { ...info, remarks: [...info.remarks, remark] };
  }

  open(): Promise<FirewallInfo> {
    return this.#inner.open();
  }

  takeOver(jails: readonly string[]): Promise<ReadonlyMap<string, readonly Ban[]>> {
    return this.#inner.takeOver(jails);
  }

  async reconcile(jails: readonly GuardedJail[], access?: readonly AccessSpec[]): Promise<Reconciliation> {
    const inner = await this.#inner.reconcile(jails, access);
    // They were given up there just now.
    await this.#keeper.unban(inner.refused).catch((error: unknown) => {
      if (!(error instanceof FirewallError)) throw error;
    });
    const own = await this.#keeper.reconcile(jails, access);
    return {
      repairs: [...inner.repairs, ...own.repairs],
      shortfalls: [...inner.shortfalls, ...own.shortfalls],
      refused: inner.refused,
    };
  }

  ban(bans: readonly Ban[]): Promise<readonly Refusal[]> {
    return this.#keeper.during(bans, async () => {
      const [inner] = await Promise.allSettled([this.#inner.ban(bans)]);
      const refused = inner.status === 'fulfilled' ? inner.value : [];
      const ids = new Set(refused.map(idOf));
      // What the other one could not write may well hold here.
      await this.#keeper.ban(ids.size === 0 ? bans : bans.filter((ban) => !ids.has(idOf(ban))));
      if (inner.status === 'rejected') throw inner.reason;
      return refused;
    });
  }

  unban(bans: readonly BanKey[]): Promise<void> {
    return this.#keeper.during(bans, async () => {
      const [inner] = await Promise.allSettled([this.#inner.unban(bans)]);
      await this.#keeper.unban(bans);
      if (inner.status === 'rejected') throw inner.reason;
    });
  }

  async flush(): Promise<void> {
    const [inner] = await Promise.allSettled([this.#inner.flush()]);
    await this.#keeper.flush();
    if (inner.status === 'rejected') throw inner.reason;
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

function idOf({ jail, ip }: BanKey): string {
  return `${ip} ${jail}`;
}
