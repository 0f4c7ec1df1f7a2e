import type { Ban } from '../jail/ban.ts';
import type { Firewall, FirewallInfo, Refusal, Shortfall } from '../firewall/firewall.ts';
import { Dock2banError, messageOf } from '../errors.ts';
import type { EventLog } from './event-log.ts';
import type { Memory } from './memory.ts';
import type { JailRegistry } from './jail-registry.ts';

/** Brings the jails' bans into the kernel and keeps them there: at once for each ban, and by reconciling. Nothing here throws. */
export class Enforcer {
  readonly #firewall: Firewall;
  readonly #registry: JailRegistry;
  readonly #memory: Memory;
  readonly #events: EventLog;
  /** Jails whose bans of an earlier run have been taken over. */
  readonly #adopted = new Set<string>();
  #info: FirewallInfo | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  /** What can't be enforced, as reported: each is said once. */
  #troubles: ReadonlySet<string> = new Set();

  constructor(firewall: Firewall, registry: JailRegistry, memory: Memory, events: EventLog) {
    this.#firewall = firewall;
    this.#registry = registry;
    this.#memory = memory;
    this.#events = events;
  }

  /** What enforces the bans; undefined as long as nothing can. */
  get info(): FirewallInfo | undefined {
    return this.#info;
  }

  /** Whether everything that should be enforced was, at the last look. */
  get healthy(): boolean {
    return this.#info !== undefined && this.#troubles.size === 0;
  }

  /**
   * Brings bans into the kernel. What fails is reported, and reconciling tries again.
   * @returns the bans that the firewall refused; their jails have dropped them
   */
  async ban(bans: readonly Ban[]): Promise<readonly Refusal[]> {
    if (bans.length === 0) return [];
    try {
      return this.#drop(await this.#firewall.ban(bans));
    } catch (error) {
      const named = bans.map(({ jail, ip }) => `[${jail}] ${ip}`).slice(0, 5);
      const more = bans.length > named.length ? ` and ${bans.length - named.length} more` : '';
      this.#trouble(`not shut out yet: ${named.join(', ')}${more}`, error);
      return [];
    }
  }

  /** Takes bans out of the kernel. */
  async unban(bans: readonly Ban[]): Promise<void> {
    if (bans.length === 0) return;
    try {
      await this.#firewall.unban(bans);
    } catch (error) {
      this.#trouble('unbanned addresses may still be shut out', error);
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
        this.#trouble('bans are not enforced as they should be', error);
      }
    } while (this.#again);
  }

  async #reconcileOnce(): Promise<void> {
    this.#info ??= await this.#firewall.open();
    const jails = [...this.#registry.active.values()].map(({ jail }) => jail);
    await this.#adopt(jails.map(({ name }) => name).filter((name) => !this.#adopted.has(name)));
    const guarded = jails.map(({ name, spec: { closes, blocktype } }) => ({ name, closes, blocktype }));
    const { repairs, shortfalls, refused } = await this.#firewall.reconcile(guarded);
    this.#memory.keepJails(guarded);
    this.#info = this.#firewall.info ?? this.#info;
    for (const repair of repairs) this.#events.firewallRepaired(repair);
    this.#drop(refused);
    this.#say(shortfalls);
  }

  /**
   * Brings the bans of the last run back into force before anything is known of Docker: a reboot has emptied the kernel, and what
   * is remembered of the jails is at most a little out of date.
   */
  async restoreLast(): Promise<void> {
    const jails = this.#memory.lastJails;
    if (jails.length === 0) return;
    try {
      this.#info ??= await this.#firewall.open();
      const names = jails.map(({ name }) => name);
      await this.#firewall.takeOver(names);
      const stored = this.#memory.bans(new Set(names));
      await this.#firewall.ban([...stored.values()].flatMap((bans) => [...bans.values()]));
      await this.#firewall.reconcile(jails);
    } catch (error) {
      this.#trouble('bans of the last run are not enforced yet', error);
    }
  }

  /** Reads what is remembered once more: it could not be read before. */
  async readopt(): Promise<void> {
    this.#adopted.clear();
    await this.reconcile();
  }

  /** Takes over the bans of earlier runs: those in the kernel, and those that are remembered, which tell more. */
  async #adopt(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    const held = await this.#firewall.takeOver(names);
    const stored = this.#memory.bans(new Set(names));
    const restored: Ban[] = [];
    const ignored: Ban[] = [];
    for (const name of names) {
      const jail = this.#registry.all.get(name);
      const known = stored.get(name);
      const unknown = (held.get(name) ?? []).filter(({ ip }) => !known?.has(ip));
      for (const ban of [...(known?.values() ?? []), ...unknown]) {
        if (jail?.ignoredWithin(ban.ip) !== undefined) {
          ignored.push(ban);
          continue;
        }
        jail?.restore(ban);
        restored.push(ban);
        this.#events.restore(ban);
      }
      for (const ban of unknown) this.#memory.keepBare(ban);
    }
    for (const ban of ignored) {
      this.#events.ignored(ban.jail, ban.ip, 'ignoreip');
      this.#memory.forget(ban);
    }
    await this.unban(ignored);
    await this.ban(restored);
    for (const name of names) this.#adopted.add(name);
  }

  /** An address that must not be banned is not banned in the jail's books either. */
  #drop(refused: readonly Refusal[]): readonly Refusal[] {
    for (const { jail, ip, reason } of refused) {
      this.#registry.all.get(jail)?.unban(ip);
      this.#memory.forget({ jail, ip });
      this.#events.ignored(jail, ip, reason);
    }
    return refused;
  }

  #say(shortfalls: readonly Shortfall[]): void {
    const now = new Set(shortfalls.map(({ consequence, error }) => `${consequence}: ${error.message}`));
    for (const { consequence, error } of shortfalls) {
      if (!this.#troubles.has(`${consequence}: ${error.message}`)) {
        this.#events.firewallError(consequence, error.message, error.fix);
      }
    }
    this.#troubles = now;
  }

  #trouble(consequence: string, error: unknown): void {
    const said = messageOf(error);
    if (this.#troubles.has(said)) return;
    this.#troubles = new Set([said]);
    this.#events.firewallError(consequence, said, error instanceof Dock2banError ? error.fix : undefined);
  }
}
