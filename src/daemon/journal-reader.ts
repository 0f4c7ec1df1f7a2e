import { cursorTime, followJournal, type JournalOptions, type JournalRecord } from '../sources/journald.ts';
import { type JournalMatches, MatchIndex } from '../sources/journal-matches.ts';
import { Wake } from '../wake.ts';
import type { EventLog } from './event-log.ts';
import type { Positions } from './followed-container.ts';
import type { ActiveJail, JailRegistry } from './jail-registry.ts';
import type { Matching } from './matching.ts';
import { takeWithPrefix } from './syslog-routes.ts';

/** How the journal is reached; tests put their own in. */
export type JournalAccess = Pick<JournalOptions, 'start' | 'place' | 'random'>;

/** A jail's reading of what meets some matches. */
interface Route {
  readonly jail: ActiveJail;
  readonly container: string | undefined;
  readonly matches: JournalMatches;
  /**
   * It came after the journal had been read to where it stands: so the journal is read again for it, what was logged after this
   * time, epoch microseconds. Undefined: it has read what the others have.
   */
  readonly behind: number | undefined;
}

const name = 'the journal';
const positionKey = 'journal';
/** Routes that are gone and remembered, so that nothing counts twice of a container that comes back. */
const mostRemembered = 1000;
/** Milliseconds between two looks for nothing. */
const longWait = 3_600_000;

/**
 * Reads the journal for all jails by one journalctl: what any jail wants, told apart here. While no jail wants it, none runs.
 * When a jail or container comes, the journal is read again from where that one begins, for it alone.
 */
export class JournalReader {
  readonly #access: JournalAccess;
  readonly #matching: Matching;
  readonly #events: EventLog;
  readonly #clock: () => number;
  readonly #changed = new Wake();
  /** By jail, container and matches. */
  #routes: ReadonlyMap<string, Route> = new Map();
  #index = new MatchIndex<Route>();
  /** Up to where routes have read that are gone, epoch microseconds. */
  readonly #gone = new Map<string, number>();
  #restart = new AbortController();
  readonly #positions: Positions | undefined;
  #position: string | undefined;
  /** How far reading again has come, epoch microseconds. */
  #rereadTo = 0;
  /** All routes have read what any has. */
  #caughtUp = false;
  /** The position is one of an earlier run, which had read the same for all. */
  #resuming: boolean;
  #lost = false;

  /** @param positions up to where the journal was read; without, it is read as far as findtime reaches back */
  constructor(
    access: JournalAccess,
    matching: Matching,
    events: EventLog,
    clock: () => number,
    positions?: Positions,
  ) {
    this.#access = access;
    this.#matching = matching;
    this.#events = events;
    this.#clock = clock;
    this.#positions = positions;
    this.#position = positions?.get(positionKey);
    this.#resuming = this.#position !== undefined;
  }

  /** Runs until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#routes.size === 0) await this.#changed.wait(longWait, signal);
      else await this.#follow(signal);
    }
  }

  /** Follows the jails' sources. */
  update(registry: JailRegistry): void {
    const routes = new Map<string, Route>();
    for (const jail of registry.active.values()) {
      for (const source of jail.jail.spec.sources) {
        if (source.kind !== 'journald') continue;
        const { matches, container } = source;
        const key = JSON.stringify([jail.jail.name, container, matches]);
        routes.set(key, { jail, container, matches, behind: this.#behind(key, jail) });
      }
    }
    const gone = [...this.#routes].filter(([key]) => !routes.has(key));
    const isChanged = gone.length > 0 || routes.size > this.#routes.size;
    for (const [key, route] of gone) this.#remember(key, route);
    this.#routes = routes;
    this.#index = new MatchIndex();
    for (const route of routes.values()) this.#index.add(route.matches, route);
    if (routes.size === 0) this.#lost = false;
    else this.#resuming = false;
    if (!isChanged) return;
    this.#restart.abort();
    this.#changed.set();
  }

  async #follow(signal: AbortSignal): Promise<void> {
    this.#restart = new AbortController();
    this.#rereadTo = 0;
    this.#caughtUp = false;
    const restart = this.#restart.signal;
    const routes = [...this.#routes.values()];
    const behind = routes.flatMap((route) => route.behind ?? []);
    const after = this.#position;
    for await (const update of followJournal({
      ...this.#access,
      signal: AbortSignal.any([signal, restart]),
      matches: routes.map(({ matches }) => matches),
      ...(after !== undefined && { after }),
      ...(behind.length > 0 && { rereadFrom: Math.min(...behind) / 1000 }),
      since: Math.min(...routes.map(({ jail }) => this.#findtimeAgo(jail))),
      isLost: this.#lost,
      now: this.#clock,
    })) {
      // What comes after a change was chosen before it, and comes again.
      if (restart.aborted) break;
      switch (update.type) {
        case 'lines':
          for (const record of update.lines) this.#take(record);
          this.#position = update.position;
          this.#positions?.set(positionKey, update.position);
          if (update.position !== after) this.#caughtUp = true;
          break;
        case 'lost':
          this.#lost = true;
          this.#events.sourceLost(name, update.error.message, update.error.fix);
          break;
        case 'resumed':
          this.#lost = false;
          this.#events.sourceResumed(name);
          break;
      }
    }
  }

  /** A jail takes an entry once, however many of its sources it meets. */
  #take({ entry, line, messageStart, live, reread }: JournalRecord): void {
    if (reread) this.#rereadTo = entry.received;
    const jails = new Set<ActiveJail>();
    for (const { jail, container, behind } of this.#index.find(entry)) {
      if (jails.has(jail) || (reread && entry.received <= (behind ?? Infinity))) continue;
      jails.add(jail);
      // What a host's service logs, fail2ban matches with its prefix only.
      if (container === undefined) this.#matching.match(jail, line, container, live);
      else takeWithPrefix(this.#matching, { jail, container, line, messageStart, live });
    }
  }

  /** Up to where a route has read that others have read beyond. */
  #behind(key: string, jail: ActiveJail): number | undefined {
    const known = this.#routes.get(key);
    if (known) return this.#readUpTo(known);
    if (this.#resuming) return undefined;
    const left = this.#gone.get(key);
    this.#gone.delete(key);
    return left ?? this.#findtimeAgo(jail) * 1000;
  }

  #readUpTo({ behind }: Route): number | undefined {
    return behind === undefined || this.#caughtUp ? undefined : Math.max(behind, this.#rereadTo);
  }

  #remember(key: string, route: Route): void {
    const readUpTo = this.#readUpTo(route) ?? cursorTime(this.#position ?? '');
    if (Number.isNaN(readUpTo)) return;
    this.#gone.set(key, readUpTo);
    if (this.#gone.size > mostRemembered) this.#gone.delete(this.#gone.keys().next().value!);
  }

  /** Epoch milliseconds. */
  #findtimeAgo({ jail }: ActiveJail): number {
    return this.#clock() - jail.spec.findtime * 1000;
  }
}
