import { setImmediate } from 'node:timers/promises';
import type { AccessSpec } from '../../config/labels/access-spec.ts';
import type { Ban } from '../../jail/ban.ts';
import type { BanKey, Firewall, FirewallInfo, Refusal } from '../../firewall/firewall.ts';
import type { NeverBan } from '../../firewall/bans/never-ban.ts';
import type { EventLog } from '../events/event-log.ts';
import type { Memory } from './carry-over.ts';
import type { CarriedNotes } from './carried-notes.ts';
import type { JailRegistry } from '../jails/jail-registry.ts';
import { Troubles } from './troubles.ts';

/** Restored bans that are told of before others have their turn. */
const toldAtOnce = 500;

/** Brings the jails' bans into the kernel and keeps them there: at once for each ban, and by reconciling. Nothing here throws. */
export class Enforcer {
  readonly #firewall: Firewall;
  readonly #neverBan: () => NeverBan;
  readonly #registry: JailRegistry;
  readonly #memory: Memory;
  readonly #notes: CarriedNotes;
  readonly #events: EventLog;
  /** Jails whose bans of an earlier run have been taken over. */
  readonly #adopted = new Set<string>();
  /** What `restoreLast` brought into force, for the jails to take into their books. */
  #brought: Brought | undefined;
  /** Who gets to which container by its labels. Takes effect with the next `reconcile`. */
  access: readonly AccessSpec[] = [];
  /** What of that the firewall was last told. */
  #told: readonly AccessSpec[] = [];
  /** Bans of addresses that must not be banned at present, `JAIL IP`: they are remembered, and come into force again when that is over. */
  readonly #suspended = new Set<string>();
  /** By which all bans were looked through last. */
  #reviewed: NeverBan | undefined;
  /** Restored bans, until dock2ban is ready: telling of a hundred thousand takes a second, for which nothing else waits. */
  #untold: Ban[] | undefined = [];
  #info: FirewallInfo | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  readonly #troubles: Troubles;

  constructor(
    firewall: Firewall,
    neverBan: () => NeverBan,
    registry: JailRegistry,
    memory: Memory,
    notes: CarriedNotes,
    events: EventLog,
  ) {
    this.#firewall = firewall;
    this.#neverBan = neverBan;
    this.#registry = registry;
    this.#memory = memory;
    this.#notes = notes;
    this.#events = events;
    this.#troubles = new Troubles(events);
  }

  /** What enforces the bans; undefined as long as nothing can. */
  get info(): FirewallInfo | undefined {
    return this.#info;
  }

  /** Whether everything that should be enforced was, at the last look. */
  get healthy(): boolean {
    return this.#info !== undefined && this.#troubles.texts.length === 0;
  }

  /** Who gets to which container, as the firewall was last told. */
  get enforcedAccess(): readonly AccessSpec[] {
    return this.#told;
  }

  /** What was not enforced at the last look, and why; for people. */
  get troubles(): string[] {
    return this.#troubles.texts;
  }

  /**
   * Brings new bans into the kernel. What fails is reported, and reconciling tries again.
   * @returns the bans that the firewall refused; their jails have dropped them
   */
  async ban(bans: readonly Ban[]): Promise<readonly Refusal[]> {
    const refused = await this.#enforce(bans);
    this.#drop(refused);
    return refused;
  }

  /** Brings bans into the kernel that were made before. */
  async renew(bans: readonly Ban[]): Promise<void> {
    this.#keepOrDrop(await this.#enforce(bans));
  }

  async #enforce(bans: readonly Ban[]): Promise<readonly Refusal[]> {
    if (bans.length === 0) return [];
    try {
      return await this.#firewall.ban(bans);
    } catch (error) {
      const named = bans.map(({ jail, ip }) => `[${jail}] ${ip}`).slice(0, 5);
      const more = bans.length > named.length ? ` and ${bans.length - named.length} more` : '';
      this.#troubles.failed(`not shut out yet: ${named.join(', ')}${more}`, error);
      return [];
    }
  }

  /** Takes bans out of the kernel. */
  async unban(bans: readonly BanKey[]): Promise<void> {
    if (bans.length === 0) return;
    try {
      await this.#firewall.unban(bans);
    } catch (error) {
      this.#troubles.failed('unbanned addresses may still be shut out', error);
    }
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

  async #untilSettled(): Promise<void> {
    do {
      this.#again = false;
      try {
        await this.#reconcileOnce();
      } catch (error) {
        this.#troubles.failed('bans are not enforced as they should be', error);
      }
    } while (this.#again);
  }

  async #reconcileOnce(): Promise<void> {
    this.#info ??= await this.#firewall.open();
    const jails = [...this.#registry.active.values()].map(({ jail }) => jail);
    await this.#adopt(jails.map(({ name }) => name).filter((name) => !this.#adopted.has(name)));
    await this.#review();
    const guarded = jails.map(({ name, spec: { closes, blocktype, direct } }) => ({
      name,
      closes,
      blocktype,
      ...(direct && { direct }),
    }));
    const { access } = this;
    const { repairs, shortfalls, refused } = await this.#firewall.reconcile(guarded, access);
    this.#told = access;
    this.#notes.jails = guarded;
    this.#notes.access = access;
    this.#look();
    for (const repair of repairs) this.#events.firewallRepaired(repair);
    this.#keepOrDrop(refused);
    this.#troubles.reconciled(shortfalls);
  }

  /** What enforces may have changed since the last look: the engine's firewall did, or the variant of iptables that Docker uses. */
  #look(): void {
    const [before, now] = [this.#info, this.#firewall.info];
    if (!now) return;
    this.#info = now;
    if (before && (before.backend !== now.backend || before.variant !== now.variant)) {
      this.#events.firewallChanged(before, now);
    }
  }

  /**
   * Brings the bans of the last run, and what labels closed then, back into force before anything is known of Docker: a reboot has emptied the kernel, and what
   * is remembered of the jails is at most a little out of date.
   */
  async restoreLast(): Promise<void> {
    const jails = this.#notes.jails;
    const access = this.#notes.access;
    if (jails.length === 0 && access.length === 0) return;
    try {
      this.#info ??= await this.#firewall.open();
      const names = new Set(jails.map(({ name }) => name));
      const held = await this.#firewall.takeOver([...names]);
      const stored = this.#memory.bans(names);
      const refused = await this.#firewall.ban([...stored.values()].flatMap((bans) => [...bans.values()]));
      await this.#firewall.reconcile(jails, access);
      this.#told = access;
      this.#brought = { names, held, stored, refused };
    } catch (error) {
      this.#troubles.failed('bans of the last run are not enforced yet', error);
    }
  }

  /** dock2ban is ready: tells which bans were restored. */
  async tellRestored(): Promise<void> {
    const bans = this.#untold ?? [];
    this.#untold = undefined;
    for (const [index, ban] of bans.entries()) {
      if (index % toldAtOnce === toldAtOnce - 1) await setImmediate();
      this.#events.restore(ban);
    }
  }

  /** Reads what is remembered once more: it could not be read before. */
  async readopt(): Promise<void> {
    this.#adopted.clear();
    await this.reconcile();
  }

  /** Takes the bans of a jail that was stopped out of the kernel. They are remembered, and taken over again when it starts. */
  async letGo(jail: string, bans: readonly Ban[]): Promise<void> {
    this.#adopted.delete(jail);
    await this.unban(bans);
  }

  /** Takes bans of jails that don't run out of the kernel, where an earlier run may have left them: they would be taken over when these start. */
  async unbanIdle(bans: readonly BanKey[]): Promise<void> {
    const jails = new Set(bans.map(({ jail }) => jail).filter((jail) => !this.#adopted.has(jail)));
    try {
      if (jails.size > 0) await this.#firewall.takeOver([...jails]);
    } catch (error) {
      this.#troubles.failed('bans of jails that do not run may come back with them', error);
    }
    await this.unban(bans);
  }

  /** Takes over the bans of earlier runs: those in the kernel, and those that are remembered, which tell more. */
  async #adopt(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const brought = this.#brought;
    this.#brought = undefined;
    const others = names.filter((name) => !brought?.names.has(name));
    const held = others.length > 0 ? await this.#firewall.takeOver(others) : undefined;
    const stored = others.length > 0 ? this.#memory.bans(new Set(others)) : undefined;
    const restored: Ban[] = [];
    const ignored: Ban[] = [];
    for (const name of names) {
      const inForce = brought?.names.has(name) === true;
      const known = (inForce ? brought.stored : stored)?.get(name);
      const kernels = (inForce ? brought.held : held)?.get(name) ?? [];
      const unknown = kernels.filter(({ ip }) => !known?.has(ip));
      const taken = this.#takeIntoBooks(name, [...(known?.values() ?? []), ...unknown]);
      for (const ban of taken.ignored) ignored.push(ban);
      if (!inForce) for (const ban of taken.restored) restored.push(ban);
      for (const ban of unknown) this.#memory.keepBare(ban);
    }
    for (const ban of ignored) {
      this.#events.ignored(ban.jail, ban.ip, 'ignoreip');
      this.#memory.forget(ban);
    }
    await this.unban(ignored);
    await this.renew(restored);
    if (brought) this.#keepOrDrop(brought.refused);
    for (const name of names) this.#adopted.add(name);
    this.#reviewed = undefined;
  }

  /** Gives a jail bans of an earlier run, but for those of whom its `ignoreip` now says otherwise. */
  #takeIntoBooks(name: string, bans: readonly Ban[]): { restored: Ban[]; ignored: Ban[] } {
    const jail = this.#registry.all.get(name);
    const restored: Ban[] = [];
    const ignored: Ban[] = [];
    for (const ban of bans) {
      if (jail?.ignoredWithin(ban.ip) !== undefined) ignored.push(ban);
      else {
        jail?.restore(ban);
        restored.push(ban);
        if (this.#untold) this.#untold.push(ban);
        else this.#events.restore(ban);
      }
    }
    return { restored, ignored };
  }

  /** Which bans may be in force depends on which addresses are this host's and Docker's: that changes, and is no reason to forget a ban. */
  async #review(): Promise<void> {
    const neverBan = this.#neverBan();
    if (neverBan === this.#reviewed) return;
    this.#reviewed = neverBan;
    const before = new Set(this.#suspended);
    this.#suspended.clear();
    const resumed: Ban[] = [];
    for (const { bans } of this.#registry.all.values()) {
      for (const ban of bans.values()) {
        const reason = neverBan.find(ban.ip);
        if (reason) this.#suspend(ban, reason.text, before.has(idOf(ban)));
        else if (before.has(idOf(ban))) resumed.push(ban);
      }
    }
    await this.renew(resumed);
    for (const ban of resumed) if (!this.#suspended.has(idOf(ban))) this.#events.banResumed(ban);
  }

  #suspend(ban: BanKey, reason: string, isKnown: boolean): void {
    this.#suspended.add(idOf(ban));
    if (!isKnown) this.#events.banSuspended(ban, reason);
  }

  /** Of bans that were made before, the kernel has refused these: only what it will never take is forgotten. */
  #keepOrDrop(refused: readonly Refusal[]): void {
    for (const refusal of refused) {
      const { jail, ip, kind, reason } = refusal;
      if (kind === 'kernel') this.#drop([refusal]);
      else if (this.#registry.all.get(jail)?.bans.has(ip))
        this.#suspend(refusal, reason, this.#suspended.has(idOf(refusal)));
    }
  }

  /** An address that is not banned is not banned in the jail's books either. */
  #drop(refused: readonly Refusal[]): void {
    for (const { jail, ip, reason } of refused) {
      this.#registry.all.get(jail)?.unban(ip);
      this.#memory.forget({ jail, ip });
      this.#events.neverBanned(jail, ip, reason);
    }
  }
}

/** Bans of the last run that are in force before their jails run. */
interface Brought {
  readonly names: ReadonlySet<string>;
  readonly held: ReadonlyMap<string, readonly Ban[]>;
  readonly stored: ReadonlyMap<string, ReadonlyMap<string, Ban>>;
  /** Those that the firewall didn't take. */
  readonly refused: readonly Refusal[];
}

function idOf({ jail, ip }: BanKey): string {
  return `${jail} ${ip}`;
}
