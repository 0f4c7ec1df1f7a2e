import type { Failure } from '../../filter/failure.ts';
import type { Ban } from '../../jail/ban.ts';
import type { Jail } from '../../jail/jail.ts';
import { canonicalAddress, canonicalPrefix, parsePrefix } from '../../net/address.ts';
import { countsBans } from '../../config/jails/jail-sources.ts';
import type { NeverBanReason } from '../../firewall/bans/never-ban.ts';
import type { EventLog } from '../events/event-log.ts';

/** Takes a filter's failures to the jail, and says what became of them. */
export class Detector {
  readonly #events: EventLog;
  readonly #neverBan: (ip: string) => NeverBanReason | undefined;
  readonly #clock: () => number;
  /** Hidden and odd ids that were reported, by jail. */
  readonly #reported = new Map<string, Set<string>>();

  constructor(
    events: EventLog,
    neverBan: (ip: string) => NeverBanReason | undefined,
    clock: () => number = Date.now,
  ) {
    this.#events = events;
    this.#neverBan = neverBan;
    this.#clock = clock;
  }

  /**
   * Counts failures, and says what became of them.
   * @param container the container that logged them, where that is known
   * @returns the bans that have to be carried out
   */
  judge(jail: Jail, failures: readonly Failure[], container: string | undefined): readonly Decision[] {
    const now = this.#clock();
    const decisions: Decision[] = [];
    for (const failure of failures) {
      const { id } = failure;
      if (canonicalAddress(id) === undefined && !(countsBans(jail.spec) && isBannedPrefix(id))) {
        this.#once(jail.name, id, () =>
          this.#events.neverBanned(jail.name, id, 'it is no address that a firewall could drop'),
        );
        continue;
      }
      const never = this.#neverBan(id);
      if (never) {
        // A gateway stands in the log instead of the client: said once, with the remedy.
        if (never.kind === 'gateway') {
          this.#once(jail.name, id, () => this.#events.addressHidden(jail.name, id, never.text, container));
        } else this.#events.neverBanned(jail.name, id, never.text);
        continue;
      }
      const verdict = jail.observe(failure, now, (prefix) => this.#neverBan(prefix) !== undefined);
      switch (verdict.kind) {
        case 'ignored':
          this.#events.ignored(jail.name, id, 'ignoreip');
          break;
        case 'expired':
          this.#events.expired(jail.name, id);
          break;
        case 'found':
          this.#events.found(jail.name, id, verdict.failures, failure.time, container);
          break;
        case 'ban':
          this.#events.found(jail.name, id, verdict.failures, failure.time, container);
          decisions.push({ ...verdict, container });
          break;
      }
    }
    return decisions;
  }

  #once(jail: string, id: string, report: () => void): void {
    const ids = this.#reported.get(jail) ?? new Set();
    // Attackers choose ids: what has been reported is remembered up to a bound.
    if (ids.has(id) || ids.size >= mostReported) return;
    this.#reported.set(jail, ids.add(id));
    report();
  }
}

const mostReported = 100;

/** A prefix that a log tells of is no wider than one party may have. */
const widest = { 4: 16, 6: 32 } as const;

function isBannedPrefix(id: string): boolean {
  const prefix = parsePrefix(id);
  return prefix !== undefined && prefix.bits >= widest[prefix.family] && canonicalPrefix(id) === id;
}

/** A ban that was decided. */
export interface Decision {
  readonly ban: Ban;
  readonly failures: number;
  readonly renewed: boolean;
  /** The container that logged the last failure, where that is known. */
  readonly container: string | undefined;
  /** The last of what was logged of the failures. */
  readonly lines: readonly string[];
}
