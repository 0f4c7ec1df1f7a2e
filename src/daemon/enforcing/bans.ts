import { setImmediate as turn } from 'node:timers/promises';
import type { BanKey, Firewall, Refusal } from '../../firewall/firewall.ts';
import type { NeverBanReason } from '../../firewall/bans/never-ban.ts';
import type { Ban } from '../../jail/ban.ts';
import type { Store } from '../../store/store.ts';
import type { BanDetails } from '../../store/stored-ban.ts';
import type { EventLog } from '../events/event-log.ts';
import type { JailRegistry } from '../../jail/jail-registry.ts';
import type { ClaimedBan, Corroboration } from './corroboration.ts';
import type { NeverBanWatch } from './never-ban-watch.ts';
import { SuspendedBans } from './suspended-bans.ts';
import type { Troubles } from './troubles.ts';

/** Where a ban comes from: a log, the operator's hand, an earlier run, or another database. */
export type Origin = 'log' | 'hand' | 'restored' | 'imported';

/**
 * Why a ban ends. `forgotten`: by hand, of a jail that doesn't run; `stopped`: its jail does; `shed`: the jail held too many;
 * `ignored`: `ignoreip` names it now.
 */
export type LiftReason = 'expired' | 'by hand' | 'forgotten' | 'stopped' | 'shed' | 'ignored';

export interface WantedBan extends ClaimedBan, BanDetails {
  /** Undefined: by hand, and the jail decides how long it lasts. */
  readonly ban?: Ban;
}

/** A change of a ban that has taken effect. */
export type BanChange =
  | {
      readonly kind: 'in-force';
      readonly ban: Ban;
      readonly origin: Origin;
      readonly renewed: boolean;
      readonly details: BanDetails;
    }
  | { readonly kind: 'lifted'; readonly ban: BanKey; readonly reason: LiftReason };

export interface BansParts {
  readonly firewall: Firewall;
  readonly neverBan: NeverBanWatch;
  readonly corroboration: Corroboration;
  readonly registry: JailRegistry;
  readonly store: Store;
  readonly events: EventLog;
  readonly troubles: Troubles;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** Bans that are logged or stored in one turn of the event loop. */
const atOnce = 500;

/**
 * The one road of every ban and unban. A ban takes these steps: what a log claims is corroborated; never-ban list, jail, store, kernel,
 * event, listeners. The store comes before the kernel because it writes ahead: the change is queued there, and written together with the
 * position of the line that led to it, so that no crash forgets it. A ban that the kernel refuses for good is removed again; one that it
 * can't make now stays stored, is tried again after each reconciliation, and is logged when it is made. Nothing here throws.
 */
export class Bans {
  readonly #parts: BansParts;
  readonly #listeners: ((change: BanChange) => void)[] = [];
  /** Changes that the kernel has not made yet. */
  readonly #pending = new Map<string, BanChange>();
  /** Of those, the ones that the kernel has failed to make. */
  readonly #failed = new Set<string>();
  readonly #suspended: SuspendedBans;
  /** Restored bans whose events wait until dock2ban is ready: a hundred thousand take a second. */
  #pendingEvents: Ban[] | undefined = [];

  constructor(parts: BansParts) {
    this.#parts = parts;
    this.#suspended = new SuspendedBans(parts.events);
  }

  /** @param listener told of every change that has happened, after it was logged; must not throw */
  subscribe(listener: (change: BanChange) => void): void {
    this.#listeners.push(listener);
  }

  /** Why no jail may ever ban an address or prefix; undefined: they may. */
  neverBan(ip: string): NeverBanReason | undefined {
    return this.#parts.neverBan.current.find(ip);
  }

  /** Why a jail may not ban an address or prefix: it is on the never-ban list, or in its `ignoreip`. */
  refusal(jail: string, ip: string): string | undefined {
    return this.neverBan(ip)?.text ?? this.#ignored(jail, ip);
  }

  /**
   * Resolves when the kernel was asked.
   * @param isHeld whether the kernel holds them already
   * @returns those that are refused; those of the kernel and of a log are logged
   */
  async bringIntoForce(
    wanted: readonly WantedBan[],
    origin: Origin,
    isHeld = false,
  ): Promise<readonly (BanKey & { readonly reason: string })[]> {
    const refuted = origin === 'log' ? await this.#parts.corroboration.refute(wanted) : undefined;
    const refused: (BanKey & { reason: string })[] = [];
    const changes: BanChange[] = [];
    const ignored: BanKey[] = [];
    for (const each of wanted) {
      const { jail, ip } = each;
      if (refuted?.has(each)) continue;
      const never = this.neverBan(ip)?.text;
      const ignoredBy = this.#ignored(jail, ip);
      const reason = never ?? ignoredBy;
      if (reason !== undefined && origin !== 'restored') {
        refused.push({ jail, ip, reason });
        continue;
      }
      if (ignoredBy !== undefined) {
        ignored.push({ jail, ip });
        continue;
      }
      const entered = this.#enter(each, origin);
      if (!entered) continue;
      const { ban, renewed } = entered;
      if (never !== undefined) this.#suspended.add(each, never);
      else changes.push({ kind: 'in-force', origin, ban, renewed, details: each });
    }
    if (origin === 'log') this.#drop(refused);
    await this.lift(ignored, 'ignored');
    return [...refused, ...(await this.#carryOut(changes, isHeld))];
  }

  /** Resolves when the kernel was asked. @param bans also of jails that don't run */
  async lift(bans: readonly BanKey[], reason: LiftReason): Promise<void> {
    const { store, clock } = this.#parts;
    if (reason === 'by hand' || reason === 'forgotten' || reason === 'ignored')
      for (const { jail, ip } of bans) store.remove(jail, ip);
    if (reason === 'shed') await inTurns(bans, ({ jail, ip }) => store.end(jail, ip, clock()));
    await this.#carryOut(bans.map((ban): BanChange => ({ kind: 'lifted', ban, reason })));
  }

  /** Changes the times of bans that are in force. The kernel first: its keeper goes by the clock. */
  async retime(bans: readonly Ban[]): Promise<void> {
    await this.#renew(bans);
    const { store } = this.#parts;
    await inTurns(bans, (ban) => store.keep(ban, store.get(ban.jail, ban.ip)));
    store.noteCounted();
  }

  /** Tries again what the kernel could not do. @returns whether it has done everything now */
  async retry(): Promise<boolean> {
    const changes = [...this.#failed].flatMap((id) => this.#pending.get(id) ?? []);
    this.#failed.clear();
    await this.#carryOut(changes);
    return this.#failed.size === 0;
  }

  /** Adapts to changes of the never-ban list: addresses of this host and of Docker come and go, which must not make a ban forgotten. */
  async review(): Promise<void> {
    const { neverBan, registry, events } = this.#parts;
    const resumed = this.#suspended.review(neverBan.current, registry.bans());
    await this.#renew(resumed);
    for (const ban of resumed) if (!this.#suspended.has(ban)) events.banResumed(ban);
  }

  /** Notes that the kernel refused earlier bans; only those that it will never take are forgotten. */
  refused(refusals: readonly Refusal[]): void {
    for (const refusal of refusals) {
      const { jail, ip, kind, reason } = refusal;
      if (kind === 'kernel') this.#drop([refusal]);
      else if (this.#parts.registry.all.get(jail)?.bans.has(ip)) this.#suspended.add(refusal, reason);
    }
  }

  /** Logs the bans restored so far; later ones are logged at once. */
  async logRestored(): Promise<void> {
    const bans = this.#pendingEvents ?? [];
    this.#pendingEvents = undefined;
    await inTurns(bans, (ban) => this.#parts.events.restore(ban));
  }

  #ignored(name: string, ip: string): string | undefined {
    const entry = this.#parts.registry.all.get(name)?.ignoredWithin(ip);
    if (entry === undefined) return undefined;
    return `it ${entry === ip ? 'is' : `overlaps ${entry}, which is`} in ignoreip of jail ${name}`;
  }

  /** Enters a ban into its jail and the store. @returns undefined if there is nothing to bring into force */
  #enter(wanted: WantedBan, origin: Origin) {
    const { registry, store, clock } = this.#parts;
    const { ip, ban: given, renewed = false } = wanted;
    const jail = registry.all.get(wanted.jail);
    const isKnown = origin === 'imported' && given && lastsAsLong(jail?.bans.get(ip), given);
    const entered = given ? { ban: given, renewed } : jail?.ban(ip, clock());
    if (!entered) return undefined;
    // A ban from a log is in its jail already, and a restored one is in the store.
    if (given && origin !== 'log') jail?.restore(given);
    if (origin !== 'restored') store.keep(entered.ban, wanted);
    return jail && !isKnown ? entered : undefined;
  }

  /** @returns the bans that the kernel refused */
  async #carryOut(asked: readonly BanChange[], isHeld = false): Promise<readonly Refusal[]> {
    if (isHeld) {
      for (const change of asked) this.#tell(change);
      return [];
    }
    const changes = asked.map((change) => this.#awaited(change));
    const made = changes.filter((change) => change.kind === 'in-force');
    const lifted = changes.filter((change) => change.kind === 'lifted');
    const { firewall } = this.#parts;
    const [refused] = await Promise.all([
      this.#ask(made, 'not blocked yet', (bans) => firewall.ban(bans)),
      this.#ask(lifted, 'unbanned, but may still be blocked', (keys) => firewall.unban(keys)),
    ]);
    const old = new Set(made.filter(({ origin }) => origin === 'restored').map(({ ban }) => idOf(ban)));
    for (const refusal of refused ?? []) {
      this.#pending.delete(idOf(refusal));
      if (old.has(idOf(refusal))) this.refused([refusal]);
      else this.#drop([refusal]);
    }
    for (const change of changes) {
      const id = idOf(change.ban);
      if (this.#failed.has(id) || this.#pending.get(id) !== change) continue;
      this.#pending.delete(id);
      this.#tell(change);
    }
    return refused ?? [];
  }

  /** Registers a change for the kernel to make. The renewal or lifting of a ban that was never logged isn't logged either. */
  #awaited(change: BanChange): BanChange {
    const id = idOf(change.ban);
    const before = this.#pending.get(id);
    const isUntold = before?.kind === 'in-force' && !before.renewed;
    const now = change.kind === 'in-force' && isUntold ? { ...change, renewed: false } : change;
    this.#failed.delete(id);
    if (now.kind === 'lifted' && isUntold) this.#pending.delete(id);
    else this.#pending.set(id, now);
    return now;
  }

  async #renew(bans: readonly Ban[]): Promise<void> {
    const made = bans.map((ban) => ({ ban }));
    this.refused((await this.#ask(made, 'not blocked yet', (all) => this.#parts.firewall.ban(all))) ?? []);
  }

  /** @returns what the call resolves to; undefined: it failed */
  async #ask<Key extends BanKey, Answer>(
    changes: readonly { readonly ban: Key }[],
    consequence: string,
    call: (bans: Key[]) => Promise<Answer>,
  ): Promise<Answer | undefined> {
    if (changes.length === 0) return undefined;
    try {
      return await call(changes.map(({ ban }) => ban));
    } catch (error) {
      for (const { ban } of changes) if (this.#pending.has(idOf(ban))) this.#failed.add(idOf(ban));
      const named = changes.slice(0, 5).map(({ ban: { jail, ip } }) => `[${jail}] ${ip}`);
      const more = changes.length > named.length ? ` and ${changes.length - named.length} more` : '';
      this.#parts.troubles.failed(`${consequence}: ${named.join(', ')}${more}`, error);
      return undefined;
    }
  }

  #tell(change: BanChange): void {
    const { events } = this.#parts;
    const { ban } = change;
    if (change.kind === 'lifted') {
      if (change.reason === 'ignored') events.ignored(ban.jail, ban.ip, 'ignoreip');
      if (change.reason === 'expired' || change.reason === 'by hand') events.unban(ban, change.reason);
    } else if (change.origin === 'restored' && this.#pendingEvents) this.#pendingEvents.push(change.ban);
    else if (change.origin === 'restored' || change.origin === 'imported') events.restore(change.ban);
    else events.ban(change.ban, change.details.failures, change.renewed, change.details.container);
    for (const listener of this.#listeners) listener(change);
  }

  /** Removes refused bans from their jails and the store. */
  #drop(refused: readonly (BanKey & { readonly reason: string })[]): void {
    const { registry, store, events } = this.#parts;
    for (const { jail, ip, reason } of refused) {
      registry.all.get(jail)?.unban(ip);
      store.remove(jail, ip);
      events.neverBanned(jail, ip, reason);
    }
  }
}

async function inTurns<Item>(items: readonly Item[], act: (item: Item) => void): Promise<void> {
  for (const [index, item] of items.entries()) {
    if (index % atOnce === atOnce - 1) await turn();
    act(item);
  }
}

function lastsAsLong(known: Ban | undefined, other: Ban): boolean {
  return known !== undefined && (known.until ?? Infinity) >= (other.until ?? Infinity);
}

function idOf({ jail, ip }: BanKey): string {
  return `${jail} ${ip}`;
}
