import type { Dock2banError } from '../../errors.ts';
import type { SourceUpdate } from '../../sources/source-update.ts';
import type { SourceStats } from '../../control/api.ts';
import type { EventLog } from '../events/event-log.ts';
import type { Positions } from './positions.ts';
import type { ReaderParts } from './reader-parts.ts';

export interface BookedSource {
  /** Its name in events. */
  readonly name: string;
  /** The key of its stored position. */
  readonly key: string;
  readonly unit: 'lines' | 'bytes';
  /** By default, an event is logged. */
  readonly onLost?: (error: Dock2banError) => void;
  readonly onResumed?: () => void;
  /** Whether any jail reads this log, so that a gap matters; by default, yes. */
  readonly isRead?: () => boolean;
}

/** Running counts of a log. */
export type SourceCounts = { -readonly [Name in Exclude<keyof SourceStats, 'source'>]: SourceStats[Name] };

/** Counts before anything was read. @param unit files count bytes, since lines without failures are never split */
export function noCounts(unit: 'lines' | 'bytes'): SourceCounts {
  const read = unit === 'lines' ? { lines: 0, bytes: null } : { lines: null, bytes: 0 };
  return { ...read, matched: 0, cut: 0, gaps: 0, dropped: 0 };
}

/** One followed log: its counts, its stored position, and its events. */
export class SourceBook {
  readonly counts: SourceCounts;
  readonly #source: BookedSource;
  readonly #events: EventLog;
  readonly #positions: Positions;
  #isLost = false;

  constructor(source: BookedSource, { events, positions }: Pick<ReaderParts, 'events' | 'positions'>) {
    this.#source = source;
    this.#events = events;
    this.#positions = positions;
    this.counts = noCounts(source.unit);
  }

  /** How far this run, or an earlier one, has read. */
  get position(): string | undefined {
    return this.#positions.get(this.#source.key);
  }

  /** Whether it can't be read at present. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** Refreshes the stored position, so that the age limit doesn't drop it while the log is quiet. */
  keepPosition(): void {
    const { position } = this;
    if (position !== undefined) this.#positions.set(this.#source.key, position);
  }

  /** Counts lines that were read. @param matched failures in them */
  countLines(lines: number, matched: number): void {
    this.counts.lines = (this.counts.lines ?? 0) + lines;
    this.counts.matched += matched;
  }

  /**
   * Enters an update. Its lines must have been taken before, in the same turn of the event loop: no position is stored without what was
   * counted on the way to it, and the other way round.
   */
  enter(update: SourceUpdate<object>): void {
    const { name, key, onLost, onResumed, isRead } = this.#source;
    const events = this.#events;
    switch (update.type) {
      case 'lines':
        this.#positions.set(key, update.position);
        this.#cut(update.cutLines ?? 0);
        break;
      case 'begun':
        this.#positions.set(key, update.position);
        break;
      case 'lost':
        this.#isLost = true;
        if (onLost) onLost(update.error);
        else events.sourceLost(name, update.error.message, update.error.fix);
        break;
      case 'resumed':
        this.#isLost = false;
        if (onResumed) onResumed();
        else events.sourceResumed(name);
        break;
      case 'gap':
        this.counts.gaps += 1;
        if (isRead?.() ?? true) events.gap(name, update.reason, this.counts.gaps, update);
        break;
      case 'position-invalid':
        events.positionInvalid(name, update.position);
        break;
    }
  }

  #cut(count: number): void {
    const before = this.counts.cut;
    this.counts.cut += count;
    if (isMilestone(before, this.counts.cut)) this.#events.linesCut(this.#source.name, this.counts.cut);
  }
}

/** Whether a count has reached 1, 10, 100, …: worth an event. */
function isMilestone(before: number, now: number): boolean {
  return now > before && (before === 0 || String(now).length > String(before).length);
}
