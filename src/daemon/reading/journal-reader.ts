import type { Dock2banError } from '../../errors.ts';
import { cursorTime } from '../../sources/journal/cursor.ts';
import {
  followJournal,
  type JournalOptions,
  type JournalRecord,
} from '../../sources/journal/follow-journal.ts';
import type { JournalEntry } from '../../sources/journal/entry.ts';
import { type JournalMatches, MatchIndex } from '../../sources/journal/matches.ts';
import { Wake } from '../../async/wake.ts';
import type { SourceSpec } from '../../config/jail-spec.ts';
import type { SourceStats } from '../../control/api.ts';
import type { ReaderParts } from './reader-parts.ts';
import type { ActiveJail, JailRegistry } from '../../jail/jail-registry.ts';
import { SourceBook } from './source-book.ts';

/** How the journal is reached; tests put their own in. */
export type JournalAccess = Pick<JournalOptions, 'start' | 'place' | 'random'>;

/** A jail that reads the entries that meet some matches. */
interface Route {
  readonly jail: ActiveJail;
  readonly container: string | undefined;
  readonly matches: JournalMatches;
  /**
   * It came after the journal had been read to where it stands: so the journal is read again for it, what was logged after this
   * time, epoch microseconds. Undefined: it has read what the others have.
   */
  readonly behind: number | undefined;
  /** Only entries that were received later are taken, epoch milliseconds: Docker's copy has brought the others, or does. */
  readonly after: number;
}

/** What a route that is gone had read: its jail took what met these matches, up to this time, epoch microseconds. */
interface Left {
  readonly jail: string;
  readonly matches: JournalMatches;
  readonly readUpTo: number;
}

const name = 'the journal';
/** Most former routes that are remembered, so that nothing of a container that comes back counts twice. */
const mostRemembered = 1000;
/** Milliseconds; nothing happens when it runs out. */
const longWait = 3_600_000;

/**
 * Reads the journal for all jails by one journalctl: what any jail wants, told apart here. While no jail wants it, none runs.
 * When a jail or container comes, the journal is read again from where that one begins, for it alone.
 */
export class JournalReader {
  readonly #access: JournalAccess;
  readonly #parts: ReaderParts;
  readonly #changed = new Wake();
  /** By jail, container and matches. */
  #routes: ReadonlyMap<string, Route> = new Map();
  #index = new MatchIndex<Route>();
  /** By jail, container and matches. */
  readonly #gone = new Map<string, Left>();
  #goneIndex = new MatchIndex<Left>();
  #restart = new AbortController();
  #position: string | undefined;
  /** How far the second reading has come, epoch microseconds. */
  #rereadTo = 0;
  /** All routes have read equally far. */
  #caughtUp = false;
  /** The position is an earlier run's, in which all routes had read equally far. */
  #resuming: boolean;
  #lost = false;
  readonly #book: SourceBook;

  constructor(access: JournalAccess, parts: ReaderParts) {
    this.#access = access;
    this.#parts = parts;
    const source = {
      name,
      key: 'journal',
      unit: 'lines',
      onLost: (error: Dock2banError) => this.#noteLost(error),
      onResumed: () => this.#noteResumed(),
    } as const;
    this.#book = new SourceBook(source, parts);
    this.#position = this.#book.position;
    this.#resuming = this.#position !== undefined;
  }

  /** Counts of the entries that jails read. */
  get counts(): readonly SourceStats[] {
    return this.#routes.size === 0 ? [] : [{ source: 'journal', ...this.#book.counts }];
  }

  /** Until when a jail's source was read, in this run or an earlier one, epoch milliseconds; undefined if it never was. */
  readUpTo({ jail }: ActiveJail, source: Extract<SourceSpec, { kind: 'journald' }>): number | undefined {
    const route = this.#routes.get(keyOf(jail.name, source));
    const micros = (route && this.#readUpTo(route)) ?? cursorTime(this.#position ?? '');
    return Number.isNaN(micros) ? undefined : micros / 1000;
  }

  /** Runs until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (this.#routes.size === 0) await this.#changed.wait(longWait, signal);
      else await this.#follow(signal);
    }
  }

  /** Refreshes the stored positions, so that the age limit doesn't drop those of quiet logs. */
  keepPositions(): void {
    this.#book.keepPosition();
  }

  /** Adapts to the jails' current sources. */
  update(registry: JailRegistry): void {
    const routes = new Map<string, Route>();
    for (const jail of registry.active.values()) {
      for (const source of jail.jail.spec.sources) {
        if (source.kind !== 'journald') continue;
        const { matches, container } = source;
        const key = keyOf(jail.jail.name, source);
        const after = this.#parts.fallbacks.takesAfter(source);
        routes.set(key, { jail, container, matches, after, behind: this.#behind(key, jail) });
      }
    }
    const gone = [...this.#routes].filter(([key]) => !routes.has(key));
    const isChanged = gone.length > 0 || routes.size > this.#routes.size;
    for (const [key, route] of gone) this.#remember(key, route);
    this.#routes = routes;
    this.#index = new MatchIndex();
    for (const route of routes.values()) this.#index.add(route.matches, route);
    this.#goneIndex = new MatchIndex();
    for (const left of this.#gone.values()) this.#goneIndex.add(left.matches, left);
    if (routes.size === 0) {
      this.#lost = false;
      this.#parts.fallbacks.readable('journal');
    } else this.#resuming = false;
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
      now: this.#parts.clock,
    })) {
      // What arrives after a change was selected before it, and will arrive again.
      if (restart.aborted) break;
      if (update.type === 'lines') {
        for (const record of update.lines) this.#take(record);
        this.#position = update.position;
        if (update.position !== after) this.#caughtUp = true;
      }
      this.#book.enter(update);
    }
  }

  /** Whether it can't be read at present. */
  get isLost(): boolean {
    return this.#lost;
  }

  #noteLost(error: Dock2banError): void {
    this.#lost = true;
    this.#parts.events.sourceLost(name, error.message, error.fix);
    this.#parts.fallbacks.unreadable('journal', name);
  }

  #noteResumed(): void {
    this.#lost = false;
    this.#parts.events.sourceResumed(name);
    this.#parts.fallbacks.readable('journal');
  }

  /** A jail takes an entry once, however many of its sources match it, now or before a change. */
  #take({ entry, line, messageStart, live, reread }: JournalRecord): void {
    if (reread) this.#rereadTo = entry.received;
    const routes = this.#index.find(entry);
    const jails = reread ? this.#haveTaken(entry, routes) : new Set<string>();
    let matched = 0;
    for (const { jail, container, after } of routes) {
      const jailName = jail.jail.name;
      if (jails.has(jailName) || entry.received / 1000 <= after) continue;
      jails.add(jailName);
      // fail2ban matches entries of host services only with their prefix.
      const isMatched =
        container === undefined
          ? this.#parts.matching.match(jail, [line], container, live) > 0
          : this.#parts.matching.matchWithHeader(jail, line, messageStart, container, live);
      if (isMatched) matched += 1;
    }
    this.#book.countLines(1, matched);
  }

  /** The jails that got an entry the first time, when it is read again. */
  #haveTaken(entry: JournalEntry, routes: ReadonlySet<Route>): Set<string> {
    const { received } = entry;
    const taken = [...routes].filter(({ behind }) => received <= (behind ?? Infinity));
    const left = [...this.#goneIndex.find(entry)].filter(({ readUpTo }) => received <= readUpTo);
    return new Set([...taken.map(({ jail }) => jail.jail.name), ...left.map(({ jail }) => jail)]);
  }

  /** How far a route has read that lags behind others. */
  #behind(key: string, jail: ActiveJail): number | undefined {
    const known = this.#routes.get(key);
    if (known) return this.#readUpTo(known);
    if (this.#resuming) return undefined;
    const left = this.#gone.get(key)?.readUpTo;
    this.#gone.delete(key);
    return left ?? this.#findtimeAgo(jail) * 1000;
  }

  #readUpTo({ behind }: Route): number | undefined {
    return behind === undefined || this.#caughtUp ? undefined : Math.max(behind, this.#rereadTo);
  }

  #remember(key: string, route: Route): void {
    const readUpTo = this.#readUpTo(route) ?? cursorTime(this.#position ?? '');
    if (Number.isNaN(readUpTo)) return;
    this.#gone.set(key, { jail: route.jail.jail.name, matches: route.matches, readUpTo });
    if (this.#gone.size > mostRemembered) this.#gone.delete(this.#gone.keys().next().value!);
  }

  /** Epoch milliseconds. */
  #findtimeAgo({ jail }: ActiveJail): number {
    return this.#parts.clock() - jail.spec.findtime * 1000;
  }
}

function keyOf(jail: string, { container, matches }: Extract<SourceSpec, { kind: 'journald' }>): string {
  return JSON.stringify([jail, container, matches]);
}
