import type { Family } from '../../net/address.ts';
import type { AccessSpec } from '../../config/labels/access-spec.ts';
import type { Ban } from '../../jail/ban.ts';
import {
  accessChainRules,
  accessRules,
  accessSets,
  type AccessRules,
  type WantedSet,
} from '../access/access-rules.ts';
import { unclosed, unclosedSets } from '../access/access-shortfalls.ts';
import { AccessSets, type AccessFindings } from '../ipset/access-sets.ts';
import { chainRules } from './chain-rules.ts';
import { ChainKeeper } from './chain-keeper.ts';
import { FirewallError } from '../tool/errors.ts';
import { nothingDone, type BackendOptions } from '../backend.ts';
import type {
  BanKey,
  FirewallInfo,
  GuardedJail,
  MovableFirewall,
  Reconciliation,
  Refusal,
} from '../firewall.ts';
import type { NeverBan } from '../bans/never-ban.ts';
import { Serial } from '../../async/serial.ts';
import { SetKeeper } from '../ipset/set-keeper.ts';
import { allSet, jailSet } from '../bans/set-names.ts';
import { IptablesTool } from './tool.ts';

/**
 * Enforces bans with ipset and iptables: one chain of our own, reached from position 1 of DOCKER-USER (FORWARD, where Docker has none) and of
 * INPUT, so that it comes before whatever accepts. Needs the capabilities NET_ADMIN and NET_RAW.
 */
export class DockerUserFirewall implements MovableFirewall {
  readonly #chains: ChainKeeper;
  readonly #sets: SetKeeper;
  readonly #accessSets: AccessSets;
  /** What was closed by label when all sets for it were there. */
  readonly #closed = new Map<Family, AccessRules>();
  readonly #neverBan: () => NeverBan;
  readonly #serial = new Serial();
  #opened = false;

  constructor(options: BackendOptions) {
    const { tools, neverBan, now = Date.now, procNet = '/proc/net' } = options;
    this.#chains = new ChainKeeper(new IptablesTool(tools, procNet));
    this.#sets = new SetKeeper(options);
    this.#accessSets = new AccessSets(now);
    this.#neverBan = neverBan;
  }

  get info(): FirewallInfo | undefined {
    return this.#opened ? { backend: 'docker-user', ...this.#chains.describe() } : undefined;
  }

  get bans(): Iterable<Ban> {
    return this.#sets.book.bans;
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

  reconcile(jails: readonly GuardedJail[], access: readonly AccessSpec[] = []): Promise<Reconciliation> {
    return this.#serial.run(async () => {
      try {
        return await this.#reconcile(jails, accessRules(access, this.#neverBan()));
      } catch (error) {
        if (!(error instanceof FirewallError)) throw error;
        return nothingDone(access, error);
      }
    });
  }

  ban(bans: readonly Ban[]): Promise<readonly Refusal[]> {
    return this.#sets.book.ban(bans);
  }

  unban(bans: readonly BanKey[]): Promise<void> {
    return this.#sets.book.unban(bans);
  }

  /** Rules first: a set can't be destroyed while rules refer to it. */
  flush(): Promise<void> {
    return this.#serial.run(async () => {
      await this.#chains.removeAll();
      await this.#sets.destroyAll();
      this.#accessSets.forget();
      this.#closed.clear();
    });
  }

  async close(): Promise<void> {
    await this.#serial.run(() => this.#sets.close());
  }

  async #reconcile(jails: readonly GuardedJail[], access: AccessRules): Promise<Reconciliation> {
    // Sets first: rules can only refer to what exists.
    const sets = await this.#sets.reconcile(jails.map(({ name }) => name));
    const wanted = accessSets(this.#chains.families, access);
    const found = await this.#sets.between((writer) => this.#accessSets.reconcile(writer, wanted));
    const chains = await this.#chains.reconcile((family) => {
      if (sets.unusable.has(allSet(family))) return undefined;
      const usable = jails.filter(({ name }) => !sets.unusable.has(jailSet(name, family)));
      return [...this.#accessRules(family, access, wanted, found), ...chainRules(family, usable)];
    });
    await this.#sets.between((writer) => this.#accessSets.sweep(writer));
    const shortfalls = [...sets.shortfalls, ...chains.shortfalls];
    const containers = access.containers.map(({ container }) => container);
    const open = this.#chains.families.flatMap((family) => {
      const isLeft = sets.unusable.has(allSet(family));
      const whole = (isLeft ? shortfalls : chains.shortfalls).find((each) => each.family === family);
      return whole ? unclosed(containers, family, whole.error) : unclosedSets(wanted, family, found.unusable);
    });
    return {
      repairs: [...sets.repairs, ...found.repairs, ...chains.repairs],
      shortfalls: [...shortfalls, ...open],
      refused: sets.refused,
    };
  }

  /** As long as not all sets for them can be had, the rules of before stay: a fault must not open what was closed. */
  #accessRules(
    family: Family,
    access: AccessRules,
    wanted: ReadonlyMap<string, WantedSet>,
    { present, unusable }: AccessFindings,
  ): string[] {
    const lacking = [...wanted].some(([name, set]) => set.family === family && unusable.has(name));
    const before = lacking ? this.#closed.get(family) : undefined;
    if (before) return accessChainRules(family, before, (set) => present.has(set));
    if (!lacking) this.#closed.set(family, access);
    return accessChainRules(family, access, (set) => !unusable.has(set));
  }
}
