import type { AccessSpec } from '../../config/labels/access-spec.ts';
import type { Ban } from '../../jail/ban.ts';
import { accessRules } from '../access/access-rules.ts';
import { unclosed } from '../access/access-shortfalls.ts';
import { nothingDone, type BackendOptions } from '../backend.ts';
import type { NeverBan } from '../bans/never-ban.ts';
import type {
  BanKey,
  FirewallInfo,
  GuardedJail,
  MovableFirewall,
  Reconciliation,
  Refusal,
  Shortfall,
} from '../firewall.ts';
import { FirewallError } from '../tool/errors.ts';
import { inetLayout, inetTable } from './inet-plan.ts';
import { NftKeeper } from './keeper.ts';
import { containerOf } from './names.ts';

const info: FirewallInfo = {
  backend: 'nftables',
  variant: undefined,
  entry: { 4: 'forward', 6: 'forward' },
  remarks: [`table ${inetTable}, before Docker's own rules at input and forward`],
};

/**
 * Enforces bans with nft, in a table of our own whose chains hang at input and forward before those of Docker: what is dropped there no other
 * table can accept. Needs the capability NET_ADMIN.
 */
export class NftablesFirewall implements MovableFirewall {
  readonly #keeper: NftKeeper;
  readonly #neverBan: () => NeverBan;
  #opened = false;

  constructor(options: BackendOptions) {
    this.#keeper = new NftKeeper(inetTable, options);
    this.#neverBan = options.neverBan;
  }

  get info(): FirewallInfo | undefined {
    return this.#opened ? info : undefined;
  }

  get bans(): Iterable<Ban> {
    return this.#keeper.book.bans;
  }

  async open(): Promise<FirewallInfo> {
    await this.#keeper.open();
    this.#opened = true;
    return info;
  }

  takeOver(jails: readonly string[]): Promise<ReadonlyMap<string, readonly Ban[]>> {
    return this.#keeper.takeOver(jails);
  }

  async reconcile(
    jails: readonly GuardedJail[],
    access: readonly AccessSpec[] = [],
  ): Promise<Reconciliation> {
    try {
      const names = jails.map(({ name }) => name);
      const { failures, ...found } = await this.#keeper.reconcile(names, (places) =>
        inetLayout(jails, places, accessRules(access, this.#neverBan())),
      );
      return { ...found, shortfalls: [...failures].flatMap(([owner, error]) => shortfalls(owner, error)) };
    } catch (error) {
      if (!(error instanceof FirewallError)) throw error;
      return nothingDone(access, error);
    }
  }

  ban(bans: readonly Ban[]): Promise<readonly Refusal[]> {
    return this.#keeper.book.ban(bans);
  }

  unban(bans: readonly BanKey[]): Promise<void> {
    return this.#keeper.book.unban(bans);
  }

  flush(): Promise<void> {
    return this.#keeper.destroyAll();
  }

  close(): Promise<void> {
    return this.#keeper.close();
  }
}

function shortfalls(owner: string, error: FirewallError): Shortfall[] {
  const container = containerOf(owner);
  if (container !== undefined) return unclosed([container], undefined, error);
  const consequence = `bans of jail ${owner} are not enforced`;
  return [{ jail: owner, family: undefined, consequence, error }];
}
