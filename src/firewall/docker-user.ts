import type { Ban } from '../jail/ban.ts';
import { chainRules } from './chain-rules.ts';
import { ChainKeeper } from './chain-keeper.ts';
import { FirewallError } from './errors.ts';
import type { Tools } from './exec.ts';
import type {
  BanKey,
  FirewallInfo,
  GuardedJail,
  MovableFirewall,
  Reconciliation,
  Refusal,
} from './firewall.ts';
import { IpsetWriter } from './ipset-writer.ts';
import type { NeverBan } from './never-ban.ts';
import { Serial } from './serial.ts';
import { SetKeeper } from './set-keeper.ts';
import { allSet, jailSet } from './set-names.ts';
import { Tables } from './tables.ts';

export interface DockerUserOptions {
  readonly tools: Tools;
  /** The addresses that may not be banned at this moment; a new object when they change. */
  readonly neverBan: () => NeverBan;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** `/proc/net` of the network namespace in which the tools work. */
  readonly procNet?: string;
}

/**
 * Enforces bans with ipset and iptables: one chain of our own, reached from position 1 of DOCKER-USER (FORWARD, where Docker has none) and of
 * INPUT, so that it comes before whatever accepts. Needs the capabilities NET_ADMIN and NET_RAW.
 */
export class DockerUserFirewall implements MovableFirewall {
  readonly #chains: ChainKeeper;
  readonly #sets: SetKeeper;
  readonly #serial = new Serial();
  #opened = false;

  constructor({ tools, neverBan, now = Date.now, procNet = '/proc/net' }: DockerUserOptions) {
    this.#chains = new ChainKeeper(new Tables(tools, procNet));
    this.#sets = new SetKeeper({ writer: new IpsetWriter(tools), neverBan, now });
  }

  get info(): FirewallInfo | undefined {
    return this.#opened ? { backend: 'docker-user', ...this.#chains.describe() } : undefined;
  }

  get bans(): Iterable<Ban> {
    return this.#sets.bans;
  }

  async open(): Promise<FirewallInfo> {
    await this.#chains.open();
    await this.#sets.open(this.#chains.families);
    this.#opened = true;
    return { backend: 'docker-user', ...this.#chains.describe() };
  }

  takeOver(jails: readonly string[]): Promise<ReadonlyMap<string, readonly Ban[]>> {
    return this.#sets.takeOver(jails);
  }

  reconcile(jails: readonly GuardedJail[]): Promise<Reconciliation> {
    return this.#serial.run(async () => {
      try {
        return await this.#reconcile(jails);
      } catch (error) {
        if (!(error instanceof FirewallError)) throw error;
        const shortfall = {
          jail: undefined,
          family: undefined,
          consequence: 'new bans are not enforced',
          error,
        };
        return { repairs: [], shortfalls: [shortfall], refused: [] };
      }
    });
  }

  ban(bans: readonly Ban[]): Promise<readonly Refusal[]> {
    return this.#sets.ban(bans);
  }

  unban(bans: readonly BanKey[]): Promise<void> {
    return this.#sets.unban(bans);
  }

  /** Rules first: a set can't be destroyed while rules refer to it. */
  flush(): Promise<void> {
    return this.#serial.run(async () => {
      await this.#chains.removeAll();
      await this.#sets.destroyAll();
    });
  }

  async close(): Promise<void> {
    await this.#serial.run(() => this.#sets.close());
  }

  async #reconcile(jails: readonly GuardedJail[]): Promise<Reconciliation> {
    // Sets first: rules can only refer to what exists.
    const sets = await this.#sets.reconcile(jails.map(({ name }) => name));
    const chains = await this.#chains.reconcile((family) => {
      if (sets.unusable.has(allSet(family))) return undefined;
      const usable = jails.filter(({ name }) => !sets.unusable.has(jailSet(name, family)));
      return chainRules(family, usable);
    });
    return {
      repairs: [...sets.repairs, ...chains.repairs],
      shortfalls: [...sets.shortfalls, ...chains.shortfalls],
      refused: sets.refused,
    };
  }
}
