import type { AccessSpec } from '../../config/labels/access-spec.ts';
import type { Ban } from '../../jail/ban.ts';
import type {
  BanKey,
  BanFirewall,
  Firewall,
  FirewallInfo,
  GuardedJail,
  Mention,
  Reconciliation,
  Refusal,
} from '../firewall.ts';
import type { Visitors } from './visitors.ts';

/** A firewall that also notes who has connections to the jails' ports. */
export class WatchingFirewall implements Firewall {
  readonly #inner: BanFirewall;
  readonly #visitors: Visitors;

  constructor(inner: BanFirewall, visitors: Visitors) {
    this.#inner = inner;
    this.#visitors = visitors;
  }

  get info(): FirewallInfo | undefined {
    return this.#inner.info;
  }

  get unwatched(): string | undefined {
    return this.#visitors.failure?.message;
  }

  open(): Promise<FirewallInfo> {
    return this.#inner.open();
  }

  takeOver(jails: readonly string[]): Promise<ReadonlyMap<string, readonly Ban[]>> {
    return this.#inner.takeOver(jails);
  }

  async reconcile(
    jails: readonly GuardedJail[],
    access: readonly AccessSpec[] = [],
  ): Promise<Reconciliation> {
    const inner = await this.#inner.reconcile(jails, access);
    const repairs = await this.#visitors.reconcile(jails);
    return { ...inner, repairs: [...inner.repairs, ...repairs] };
  }

  ban(bans: readonly Ban[]): Promise<readonly Refusal[]> {
    return this.#inner.ban(bans);
  }

  unban(bans: readonly BanKey[]): Promise<void> {
    return this.#inner.unban(bans);
  }

  strangers(jail: string, mentions: readonly Mention[]): Promise<ReadonlySet<string>> {
    return this.#visitors.strangers(jail, mentions);
  }

  async flush(): Promise<void> {
    const [inner] = await Promise.allSettled([this.#inner.flush()]);
    await this.#visitors.flush();
    if (inner.status === 'rejected') throw inner.reason;
  }

  async close(): Promise<void> {
    await Promise.all([this.#inner.close(), this.#visitors.close()]);
  }
}
