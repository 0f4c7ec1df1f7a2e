import { setImmediate as turn } from 'node:timers/promises';
import type { Refused } from '../../control/api.ts';
import type {
  ImportResult,
  JailStats,
  SourceStats,
  Stats,
  TransferredBan,
  Views,
  Why,
} from '../../control/view-api.ts';
import type { NeverBanReason } from '../../firewall/bans/never-ban.ts';
import type { Ban } from '../../jail/ban.ts';
import type { BanStatistics } from '../../store/ban-statistics.ts';
import { takeOver } from '../../store/take-over.ts';
import type { Store } from '../../store/store.ts';
import { isActive, type StoredBan } from '../../store/stored-ban.ts';
import type { Enforcer } from '../enforcing/enforcer.ts';
import { EventCounts } from '../events/event-counts.ts';
import type { EventFeed } from '../events/event-feed.ts';
import type { EventLog } from '../events/event-log.ts';
import type { JailRegistry } from '../jails/jail-registry.ts';
import { exportText, received } from './transfer.ts';
import { why } from './why.ts';

export interface ViewParts {
  readonly version: string;
  readonly registry: JailRegistry;
  readonly enforcer: Enforcer;
  readonly store: Store;
  readonly events: EventLog;
  readonly feed: EventFeed;
  readonly neverBan: (ip: string) => NeverBanReason | undefined;
  readonly sources: () => readonly SourceStats[];
  /** Every ban in force. */
  readonly inForce: () => Iterable<StoredBan>;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** Bans that are imported in one go, so that matching goes on in between. */
const sliceBans = 50;
/** Milliseconds for which the sum of what is remembered is used again: it takes some ten milliseconds to make. */
const statisticsAge = 5000;

/** What an operator looks at, and takes along. */
export class DaemonViews implements Views {
  readonly #parts: ViewParts;
  readonly #counts: EventCounts;
  readonly #started: number;
  #statistics: { readonly at: number; readonly is: BanStatistics } | undefined;

  constructor(parts: ViewParts) {
    this.#parts = parts;
    this.#started = parts.clock();
    this.#counts = new EventCounts(parts.clock);
    parts.feed.subscribe((event) => this.#counts.take(event));
  }

  get events(): EventFeed {
    return this.#parts.feed;
  }

  stats(): Stats {
    const { version, registry, store, sources, clock } = this.#parts;
    const { rss, heapUsed } = process.memoryUsage();
    const { jails: remembered, offenders, days } = this.#remembered();
    const { trouble, waiting } = store.status;
    const names = new Set([...registry.all.keys(), ...remembered.map(({ jail }) => jail)]);
    return {
      version,
      started: iso(this.#started),
      uptime: Math.round((clock() - this.#started) / 1000),
      memory: { resident: rss, heap: heapUsed },
      store: { trouble: trouble?.message ?? null, waiting },
      jails: [...names].toSorted().map((jail) =>
        this.#jail(
          jail,
          remembered.find((each) => each.jail === jail),
        ),
      ),
      sources: sources(),
      offenders: offenders.map((each) => ({ ...each, last: iso(each.last) })),
      days,
    };
  }

  why(ip: string): Why {
    const { registry, store, feed, neverBan, clock } = this.#parts;
    return why(ip, { registry, store, events: feed, neverBan, clock });
  }

  *export(): Generator<string> {
    const { version, store, inForce, clock } = this.#parts;
    const pages = function* (): Generator<readonly StoredBan[]> {
      yield* store.pages();
      // What could not be stored is known here alone.
      if (store.status.trouble) yield [...inForce()];
    };
    yield* exportText(pages(), { version, now: clock() });
  }

  async import(bans: readonly TransferredBan[]): Promise<ImportResult> {
    const { registry, store, neverBan, clock } = this.#parts;
    const now = clock();
    const counts = { active: 0, remembered: 0 };
    const waiting = new Map<string, number>();
    const refused: Refused[] = [];
    const adopted: Ban[] = [];
    for (const [index, each] of bans.entries()) {
      if (index % sliceBans === sliceBans - 1) await turn();
      const ban = received(each, now);
      const jail = registry.all.get(ban.jail);
      const ignored = jail?.ignoredWithin(ban.ip);
      const reason =
        neverBan(ban.ip)?.text ??
        (ignored === undefined ? undefined : `${ignored} is in ignoreip of jail ${ban.jail}`);
      if (reason !== undefined) {
        refused.push({ ip: ban.ip, reason: `not taken over: ${reason}` });
        continue;
      }
      const { ip, since, until } = takeOver(ban, store);
      if (!isActive({ until }, now)) counts.remembered += 1;
      else {
        counts.active += 1;
        if (jail) adopted.push({ jail: ban.jail, ip, since, until });
        else waiting.set(ban.jail, (waiting.get(ban.jail) ?? 0) + 1);
      }
    }
    const late = await this.#adopt(adopted);
    return {
      ...counts,
      enforced: adopted.length - late.length,
      waiting: Object.fromEntries(waiting),
      refused: [...refused, ...late],
    };
  }

  /** Brings bans into force at once. @returns those that the firewall refused */
  async #adopt(bans: readonly Ban[]): Promise<Refused[]> {
    const { registry, enforcer, events } = this.#parts;
    const longer = bans.filter(({ jail, ip, until }) => {
      const known = registry.all.get(jail)?.bans.get(ip);
      return !known || (known.until ?? Infinity) < (until ?? Infinity);
    });
    for (const ban of longer) registry.all.get(ban.jail)?.restore(ban);
    const refused = await enforcer.ban(longer);
    const gone = new Set(refused.map(({ jail, ip }) => `${jail} ${ip}`));
    for (const ban of longer) if (!gone.has(`${ban.jail} ${ban.ip}`)) events.restore(ban);
    return refused.map(({ ip, reason }) => ({ ip, reason: `not taken over: ${reason}` }));
  }

  #jail(name: string, remembered: BanStatistics['jails'][number] | undefined): JailStats {
    const { registry } = this.#parts;
    const jail = registry.all.get(name);
    const { banned, restored, unbanned, lastMinute } = this.#counts.of(name);
    return {
      jail: name,
      active: registry.active.has(name),
      failures: jail?.totalFailed ?? 0,
      bans: banned,
      restored,
      unbans: unbanned,
      currentlyFailed: jail?.currentlyFailed ?? 0,
      currentlyBanned: jail?.bans.size ?? 0,
      lastMinute,
      remembered: { addresses: remembered?.addresses ?? 0, bans: remembered?.bans ?? 0 },
    };
  }

  #remembered(): BanStatistics {
    const { store, clock } = this.#parts;
    const now = clock();
    if (this.#statistics && Math.abs(now - this.#statistics.at) < statisticsAge) return this.#statistics.is;
    const is = store.statistics() ?? { jails: [], offenders: [], days: [] };
    this.#statistics = { at: now, is };
    return is;
  }
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
