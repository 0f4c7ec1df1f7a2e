import { setImmediate as turn } from 'node:timers/promises';

import type { ImportResult, JailStats, Refused, Stats, TransferredBan, Why } from '../../control/api.ts';
import type { Views } from '../../control/controller.ts';
import type { BanStatistics } from '../../store/ban-statistics.ts';
import type { Store } from '../../store/store.ts';
import { isActive, merged } from '../../store/stored-ban.ts';
import type { Bans, WantedBan } from '../enforcing/bans.ts';
import type { Corroboration } from '../enforcing/corroboration.ts';
import { EventCounts } from '../events/event-counts.ts';
import type { EventFeed } from '../events/event-feed.ts';
import type { JailRegistry } from '../../jail/jail-registry.ts';
import type { LogSources } from '../reading/log-sources.ts';
import { exportText, received } from './transfer.ts';
import { why } from './why.ts';
import { iso } from './iso.ts';

export interface ViewParts {
  readonly version: string;
  readonly corroboration: Corroboration;
  readonly registry: JailRegistry;
  readonly bans: Bans;
  readonly store: Store;
  readonly feed: EventFeed;
  readonly sources: LogSources;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** Bans that are imported in one turn, so that matching goes on in between. */
const sliceBans = 50;
/** Milliseconds for which the statistics of the store are cached: they take some ten milliseconds to make. */
const statisticsAge = 5000;

/** What an operator can view, export and import. */
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
      sources: sources.counts,
      offenders: offenders.map((each) => ({ ...each, last: iso(each.last) })),
      days,
    };
  }

  why(ip: string): Why {
    const { registry, store, feed, bans, clock } = this.#parts;
    return why(ip, { registry, store, events: feed, bans, clock });
  }

  export(): Generator<string> {
    const { version, store, clock } = this.#parts;
    return exportText(store.pages(), { version, now: clock() });
  }

  async import(transferred: readonly TransferredBan[]): Promise<ImportResult> {
    const { registry, store, bans, clock } = this.#parts;
    const now = clock();
    const refused: Refused[] = [];
    const waiting = new Map<string, number>();
    const active: WantedBan[] = [];
    let remembered = 0;
    for (const [index, each] of transferred.entries()) {
      if (index % sliceBans === sliceBans - 1) await turn();
      const ban = merged(received(each, now), store.get(each.jail, each.ip));
      const { jail, ip, since, until } = ban;
      const reason = bans.refusal(jail, ip);
      if (reason !== undefined) refused.push({ ip, reason });
      else if (isActive(ban, now)) {
        active.push({ ...ban, ban: { jail, ip, since, until } });
        if (!registry.all.has(jail)) waiting.set(jail, (waiting.get(jail) ?? 0) + 1);
      } else {
        store.put(ban);
        remembered += 1;
      }
    }
    const roads: ReturnType<Bans['bringIntoForce']>[] = [];
    for (let from = 0; from < active.length; from += sliceBans) {
      roads.push(bans.bringIntoForce(active.slice(from, from + sliceBans), 'imported'));
      await turn();
    }
    const late = (await Promise.all(roads)).flat();
    const idle = [...waiting.values()].reduce((sum, count) => sum + count, 0);
    return {
      active: active.length,
      remembered,
      enforced: active.length - idle - late.length,
      waiting: Object.fromEntries(waiting),
      refused: [...refused, ...late].map(({ ip, reason }) => ({ ip, reason: `not imported: ${reason}` })),
    };
  }

  #jail(name: string, remembered: BanStatistics['jails'][number] | undefined): JailStats {
    const { registry, corroboration } = this.#parts;
    const jail = registry.all.get(name);
    const { banned, restored, unbanned, lastMinute } = this.#counts.of(name);
    return {
      jail: name,
      active: registry.active.has(name),
      failures: jail?.totalFailed ?? 0,
      bans: banned,
      uncorroborated: corroboration.countOf(name),
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
