import type { BanKey, Firewall, Mention } from '../../firewall/firewall.ts';
import type { JailRegistry } from '../../jail/jail-registry.ts';
import type { Store } from '../../store/store.ts';
import { isActive } from '../../store/stored-ban.ts';
import type { EventLog } from '../events/event-log.ts';

/** What a line of a log says that leads to a ban. */
export interface Claim extends Mention {
  readonly line: string;
}

/** A ban that a log led to. */
export interface ClaimedBan extends BanKey {
  /** Of the last failure; undefined: it is believed. */
  readonly claim?: Claim;
  readonly container?: string | undefined;
  /** Whether it was in force already and lasts longer now. */
  readonly renewed?: boolean;
}

export interface CorroborationParts {
  readonly firewall: Pick<Firewall, 'strangers'>;
  readonly registry: JailRegistry;
  readonly store: Pick<Store, 'get'>;
  readonly events: EventLog;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** Milliseconds between two events about the same address in the same jail. */
const pause = 60_000;
/** Most addresses for which this is remembered: whoever forges lines chooses them. */
const mostSaid = 1000;

/** Compares what logs say with what the kernel saw: a line that names an address which never spoke to the service was written by somebody else. */
export class Corroboration {
  readonly #parts: CorroborationParts;
  readonly #counts = new Map<string, number>();
  /** `JAIL IP` → when it was said, the oldest first. */
  readonly #said = new Map<string, number>();

  constructor(parts: CorroborationParts) {
    this.#parts = parts;
  }

  /** How many bans of a jail were not believed since the start. */
  countOf(jail: string): number {
    return this.#counts.get(jail) ?? 0;
  }

  /** Finds bans that aren't to be believed, logs them, and resets the counts of their addresses. @returns these bans */
  async refute<Wanted extends ClaimedBan>(wanted: readonly Wanted[]): Promise<ReadonlySet<Wanted>> {
    const refuted = new Set<Wanted>();
    for (const [jail, bans] of Map.groupBy(
      wanted.filter(isClaimed).filter((ban) => !this.#isBelieved(ban)),
      (each) => each.jail,
    )) {
      const strangers = await this.#parts.firewall.strangers(
        jail,
        bans.map(({ claim }) => claim),
      );
      for (const ban of bans) {
        if (!strangers.has(ban.claim.address)) continue;
        refuted.add(ban);
        this.#refuted(ban);
      }
    }
    return refuted;
  }

  /** Whether it was believed before: a ban is stored once it is. */
  #isBelieved({ jail, ip, renewed }: ClaimedBan): boolean {
    const stored = renewed ? this.#parts.store.get(jail, ip) : undefined;
    return stored !== undefined && isActive(stored, this.#parts.clock());
  }

  #refuted({ jail, ip, claim, container }: ClaimedBan & { readonly claim: Claim }): void {
    const { registry, events, clock } = this.#parts;
    registry.all.get(jail)?.unban(ip);
    this.#counts.set(jail, this.countOf(jail) + 1);
    const [key, now] = [`${jail} ${ip}`, clock()];
    if (Math.abs(now - (this.#said.get(key) ?? -Infinity)) < pause) return;
    this.#said.delete(key);
    this.#said.set(key, now);
    if (this.#said.size > mostSaid) this.#said.delete(this.#said.keys().next().value!);
    events.banUncorroborated(jail, ip, claim.line, container);
  }
}

function isClaimed<Wanted extends ClaimedBan>(ban: Wanted): ban is Wanted & { readonly claim: Claim } {
  return ban.claim !== undefined;
}
