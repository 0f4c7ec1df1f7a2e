import type { NeverBan } from '../../firewall/bans/never-ban.ts';
import type { BanKey } from '../../firewall/firewall.ts';
import type { Ban } from '../../jail/ban.ts';
import type { EventLog } from '../events/event-log.ts';

/** Bans of addresses that must not be banned at present: kept, and back in force when that is over. */
export class SuspendedBans {
  readonly #events: EventLog;
  /** `JAIL IP`. */
  readonly #ids = new Set<string>();
  /** The list against which all bans were last checked. */
  #reviewed: NeverBan | undefined;

  constructor(events: EventLog) {
    this.#events = events;
  }

  has(ban: BanKey): boolean {
    return this.#ids.has(idOf(ban));
  }

  /** Suspends a ban, which is logged once. */
  add(ban: BanKey, reason: string): void {
    if (this.has(ban)) return;
    this.#ids.add(idOf(ban));
    this.#events.banSuspended(ban, reason);
  }

  /**
   * Checks all bans if the list has changed.
   * @param list a new object when it changes
   * @returns those that are suspended no longer
   */
  review(list: NeverBan, bans: Iterable<Ban>): Ban[] {
    if (list === this.#reviewed) return [];
    this.#reviewed = list;
    const before = new Set(this.#ids);
    const resumed: Ban[] = [];
    this.#ids.clear();
    for (const ban of bans) {
      const reason = list.find(ban.ip);
      const wasSuspended = before.has(idOf(ban));
      if (reason && wasSuspended) this.#ids.add(idOf(ban));
      else if (reason) this.add(ban, reason.text);
      else if (wasSuspended) resumed.push(ban);
    }
    return resumed;
  }
}

function idOf({ jail, ip }: BanKey): string {
  return `${jail} ${ip}`;
}
