import type { AccessSpec } from '../../config/labels/access-spec.ts';
import type { Ban } from '../../jail/ban.ts';
import { unclosed } from '../access/access-shortfalls.ts';
import { FirewallError } from '../tool/errors.ts';
import type { Tools } from '../tool/exec.ts';
import type {
  BanKey,
  FirewallInfo,
  GuardedJail,
  MovableFirewall,
  Reconciliation,
  Refusal,
} from '../firewall.ts';
import type { NeverBan } from '../bans/never-ban.ts';
import { NftKeeper } from './keeper.ts';
import { ownTable } from './names.ts';
import { NftTool } from './tool.ts';

export interface NftablesOptions {
  readonly tools: Tools;
  /** The addresses that may not be banned at this moment; a new object when they change. */
  readonly neverBan: () => NeverBan;
  /** Epoch milliseconds. */
  readonly now?: () => number;
}

const info: FirewallInfo = {
  backend: 'nftables',
  variant: undefined,
  entry: { 4: 'forward', 6: 'forward' },
  remarks: [`table ${ownTable}, before Docker's own rules at input and forward`],
};

/**
 * Enforces bans with nft, in a table of our own whose chains hang at input and forward before those of Docker: what is dropped there no other
 * table can accept. Needs the capability NET_ADMIN.
 */
export class NftablesFirewall implements MovableFirewall {
  readonly #keeper: NftKeeper;
  #opened = false;

  constructor({ tools, neverBan, now = Date.now }: NftablesOptions) {
    this.#keeper = new NftKeeper({ tool: new NftTool(tools), neverBan, now });
  }

  get info(): FirewallInfo | undefined {
    return this.#opened ? info : undefined;
  }

  get bans(): Iterable<Ban> {
    return this.#keeper.bans;
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
      return await this.#keeper.reconcile(jails, access);
    } catch (error) {
      if (!(error instanceof FirewallError)) throw error;
      const consequence = 'new bans are not enforced';
      return {
        repairs: [],
        shortfalls: [
          { jail: undefined, family: undefined, consequence, error },
          ...unclosed(
            access.map(({ container }) => container),
            undefined,
            error,
          ),
        ],
        refused: [],
      };
    }
  }

  ban(bans: readonly Ban[]): Promise<readonly Refusal[]> {
    return this.#keeper.ban(bans);
  }

  unban(bans: readonly BanKey[]): Promise<void> {
    return this.#keeper.unban(bans);
  }

  flush(): Promise<void> {
    return this.#keeper.destroyAll();
  }

  close(): Promise<void> {
    return this.#keeper.close();
  }
}
