import type { AccessSpec } from '../../config/labels/access-spec.ts';
import type { JailSpec } from '../../config/jail-spec.ts';
import type { BanKey, Firewall, FirewallInfo, GuardedJail } from '../../firewall/firewall.ts';
import type { Ban } from '../../jail/ban.ts';
import type { Store } from '../../store/store.ts';
import type { EventLog } from '../events/event-log.ts';
import type { JailRegistry } from '../../jail/jail-registry.ts';
import type { Bans } from './bans.ts';
import type { CarriedNotes } from './carried-notes.ts';
import type { Troubles } from './troubles.ts';

export interface EnforcerParts {
  readonly firewall: Firewall;
  readonly bans: Bans;
  readonly registry: JailRegistry;
  readonly store: Store;
  readonly notes: CarriedNotes;
  readonly troubles: Troubles;
  readonly events: EventLog;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** Restored bans that are handled in one batch. */
const restoredAtOnce = 10_000;

/** Keeps the kernel at what the jails and labels say, and takes over what earlier runs have left in it. Nothing here throws. */
export class Enforcer {
  readonly #parts: EnforcerParts;
  /** Jails whose bans of an earlier run have been taken over. */
  readonly #adopted = new Set<string>();
  /** The bans that `restoreLast` found, by jail, and `JAIL IP` of those that the kernel refused. */
  #early: { readonly bans: ReadonlyMap<string, readonly Ban[]>; readonly refused: ReadonlySet<string> };
  /** Who may reach which container, by its labels. Takes effect with the next `reconcile`. */
  access: readonly AccessSpec[] = [];
  #appliedAccess: readonly AccessSpec[] = [];
  #info: FirewallInfo | undefined;
  #running: Promise<void> | undefined;
  #again = false;

  constructor(parts: EnforcerParts) {
    this.#parts = parts;
    this.#early = { bans: new Map(), refused: new Set() };
  }

  /** What enforces the bans; undefined while nothing can. */
  get info(): FirewallInfo | undefined {
    return this.#info;
  }

  /** Who may reach which container, as the firewall was last told. */
  get appliedAccess(): readonly AccessSpec[] {
    return this.#appliedAccess;
  }

  /** What the last reconciliation could not enforce, and why; for people. */
  get troubles(): readonly string[] {
    return this.#parts.troubles.texts;
  }

  /** The troubles that affect all jails. */
  get troublesOfAllJails(): readonly string[] {
    const { troubles, registry } = this.#parts;
    return troubles.ofAllJails([...registry.active.keys()]);
  }

  /**
   * Compares the kernel with what should be and repairs it. One run at a time; a call during a run makes one more
   * follow, so that when the promise resolves, what was desired at the call is in force.
   */
  reconcile(): Promise<void> {
    if (this.#running) this.#again = true;
    else this.#running = this.#untilSettled().finally(() => (this.#running = undefined));
    return this.#running;
  }

  /**
   * Brings the bans of the last run, and what labels closed then, back into force before anything is known of Docker: a reboot has
   * emptied the kernel, and what is remembered of the jails is at most a little out of date.
   */
  async restoreLast(): Promise<void> {
    const { firewall, notes, troubles } = this.#parts;
    const { jails, access } = notes;
    if (jails.length === 0 && access.length === 0) return;
    try {
      this.#info ??= await firewall.open();
      const bans = await this.#left(jails.map(({ name }) => name));
      const refused = await firewall.ban([...bans.values()].flat());
      await firewall.reconcile(jails, access);
      this.#appliedAccess = access;
      this.#early = { bans, refused: new Set(refused.map(({ jail, ip }) => `${jail} ${ip}`)) };
    } catch (error) {
      troubles.failed('bans of the last run are not enforced yet', error);
    }
  }

  /** Reads the store again, after it could not be read at the start. */
  async readopt(): Promise<void> {
    this.#adopted.clear();
    await this.reconcile();
  }

  /** Lifts the bans of a jail that was stopped. They are remembered, and restored when it starts. */
  async letGo(jail: string, bans: readonly Ban[]): Promise<void> {
    this.#adopted.delete(jail);
    await this.#parts.bans.lift(bans, 'stopped');
  }

  /** Forgets bans of jails that don't run; also those that an earlier run may have left in the kernel: they would be restored when the jails start. */
  async forget(keys: readonly BanKey[]): Promise<void> {
    const { firewall, bans, troubles } = this.#parts;
    const jails = new Set(keys.map(({ jail }) => jail).filter((jail) => !this.#adopted.has(jail)));
    try {
      if (jails.size > 0) await firewall.takeOver([...jails]);
    } catch (error) {
      troubles.failed('bans of jails that do not run may come back with them', error);
    }
    await bans.lift(keys, 'forgotten');
  }

  async #untilSettled(): Promise<void> {
    do {
      this.#again = false;
      try {
        await this.#reconcileOnce();
      } catch (error) {
        this.#parts.troubles.failed('bans are not enforced as they should be', error);
      }
    } while (this.#again);
  }

  async #reconcileOnce(): Promise<void> {
    const { firewall, bans, registry, notes, troubles, events } = this.#parts;
    this.#info ??= await firewall.open();
    const jails = [...registry.active.values()].map(({ jail }) => jail);
    await this.#adopt(jails.map(({ name }) => name).filter((name) => !this.#adopted.has(name)));
    await bans.review();
    const guarded = jails.map(({ name, spec }) => guardedJail(name, spec));
    const { access } = this;
    const { repairs, shortfalls, refused } = await firewall.reconcile(guarded, access);
    this.#appliedAccess = access;
    notes.jails = guarded;
    notes.access = access;
    this.#noteInfo();
    for (const repair of repairs) events.firewallRepaired(repair);
    bans.refused(refused);
    troubles.reconciled(shortfalls, await bans.retry());
  }

  /** Logs a change of backend: the engine's firewall changed, or the variant of iptables that Docker uses. */
  #noteInfo(): void {
    const [before, now] = [this.#info, this.#parts.firewall.info];
    if (!now) return;
    this.#info = now;
    if (before && (before.backend !== now.backend || before.variant !== now.variant)) {
      this.#parts.events.firewallChanged(before, now);
    }
  }

  /** Gives jails the bans of earlier runs. */
  async #adopt(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const { bans: early, refused } = this.#early;
    this.#early = { bans: new Map(), refused: new Set() };
    const left = await this.#left(names.filter((name) => !early.has(name)));
    const held: Ban[] = [];
    const others: Ban[] = [];
    for (const name of names) {
      for (const ban of early.get(name) ?? []) {
        if (refused.size > 0 && refused.has(`${name} ${ban.ip}`)) others.push(ban);
        else held.push(ban);
      }
      for (const ban of left.get(name) ?? []) others.push(ban);
    }
    await this.#restore(held, true);
    await this.#restore(others, false);
    for (const name of names) this.#adopted.add(name);
  }

  async #restore(all: readonly Ban[], isHeld: boolean): Promise<void> {
    for (let from = 0; from < all.length; from += restoredAtOnce) {
      const wanted = all
        .slice(from, from + restoredAtOnce)
        .map((ban) => ({ jail: ban.jail, ip: ban.ip, ban }));
      await this.#parts.bans.bringIntoForce(wanted, 'restored', isHeld);
    }
  }

  /** The bans that earlier runs left, by jail: stored ones, and those that only the kernel knows, which are stored from now on. */
  async #left(names: readonly string[]): Promise<Map<string, Ban[]>> {
    const left = new Map<string, Ban[]>();
    if (names.length === 0) return left;
    const { firewall, store, clock } = this.#parts;
    const held = await firewall.takeOver(names);
    const stored = new Map(names.map((name) => [name, new Map<string, Ban>()]));
    for (const { jail, ip, since, until } of store.bans(clock()))
      stored.get(jail)?.set(ip, { jail, ip, since, until });
    for (const name of names) {
      const known = stored.get(name)!;
      const unknown = (held.get(name) ?? []).filter(({ ip }) => !known.has(ip));
      for (const ban of unknown) store.keep(ban);
      left.set(name, [...known.values(), ...unknown]);
    }
    return left;
  }
}

/** Seconds for which visitors are known at least and at most: lines may come late, and those who left long ago are honest. */
const leastWatch = 600;
const longestWatch = 3600;

function guardedJail(
  name: string,
  { closes, blocktype, direct, corroboration, findtime }: JailSpec,
): GuardedJail {
  const seconds = Math.min(Math.max(findtime, leastWatch), longestWatch);
  return {
    name,
    closes,
    blocktype,
    ...(direct && { direct }),
    ...('ports' in corroboration && { watch: { ports: corroboration.ports, seconds } }),
  };
}
