import type { SourceSpec } from '../../config/jail-spec.ts';
import { takenUpTo } from '../../sources/docker/progress.ts';
import type { EventLog } from '../events/event-log.ts';
import type { Positions } from './positions.ts';
import type { JailRegistry } from '../../jail/jail-registry.ts';
import type { SyslogPieces } from './syslog-pieces.ts';

/** A channel by which containers' lines arrive; it fails for all of them at once. */
export type Way = 'journal' | 'syslog file' | `listener ${string}`;

/** A container whose log Docker keeps a copy of while it is read from another channel. */
export interface KeptCopy {
  readonly containerId: string;
  readonly container: string;
  /** The channel that `auto` chose. */
  readonly way: Way;
}

/** The copy that can replace a source; undefined if there is none. */
export function keptCopy(source: SourceSpec): KeptCopy | undefined {
  if (source.kind !== 'syslog' && source.kind !== 'journald') return undefined;
  const { fallback: containerId, container } = source;
  if (containerId === undefined || container === undefined) return undefined;
  if (source.kind === 'journald') return { containerId, container, way: 'journal' };
  const way: Way = source.via === 'receiver' ? `listener ${source.listener ?? ''}` : 'syslog file';
  return { containerId, container, way };
}

/** Milliseconds that a channel may fail before Docker's copy is read instead: a short failure isn't worth the switch. */
const grace = 3_000;

/**
 * Milliseconds by which one and the same line may be stamped later on its first way than in Docker's copy: journald and syslog
 * stamp it when they get it, and syslog to the second.
 */
const lag = 1_000;

export interface FallbackParts {
  readonly events: EventLog;
  readonly positions: Pick<Positions, 'get'>;
  /** Called when the channel changes, before any further line of the first choice is taken. */
  readonly onChange: () => void;
  /** Knows which containers are read from the copy for another reason. */
  readonly pieces: Pick<SyslogPieces, 'isReadFromCopy'>;
}

/**
 * Which of the ways that `auto` chose can't be read now, so that Docker's own copy of the containers' logs is (dual logging).
 *
 * A line has no number that both ways share, only a time, so the change from one way to the other can't be exact. It is made so that no line
 * counts twice, as that could ban honest people: Docker's copy is read behind the last line that the first choice brought; and
 * when that comes back, of its lines those are passed over that Docker's copy reaches to, and what was stamped within a second
 * after. Those of that second, where they are others, are lost.
 */
export class Fallbacks {
  readonly #parts: FallbackParts;
  readonly #waiting = new Map<Way, NodeJS.Timeout>();
  /** Channels that can't be read, with their names in events. */
  readonly #lost = new Map<Way, string>();
  readonly #said = new Set<Way>();

  constructor(parts: FallbackParts) {
    this.#parts = parts;
  }

  /** Notes that a channel can't be read. @param name as events call it */
  unreadable(way: Way, name: string): void {
    if (this.#lost.has(way) || this.#waiting.has(way)) return;
    const replace = (): void => {
      this.#waiting.delete(way);
      this.#lost.set(way, name);
      this.#parts.onChange();
    };
    this.#waiting.set(way, setTimeout(replace, grace).unref());
  }

  /** Notes that a channel can be read again, or that nobody wants it. */
  readable(way: Way): void {
    clearTimeout(this.#waiting.get(way));
    this.#waiting.delete(way);
    this.#said.delete(way);
    if (this.#lost.delete(way)) this.#parts.onChange();
  }

  /** Logs for which containers Docker's copy is read now; once until the channel is readable again. */
  report(registry: JailRegistry): void {
    for (const [way, name] of this.#lost) {
      if (this.#said.has(way)) continue;
      const sources = [...registry.active.values()].flatMap(({ jail }) => jail.spec.sources);
      const copies = sources.flatMap((source) => keptCopy(source) ?? []);
      const containers = copies.filter((copy) => copy.way === way).map(({ container }) => container);
      if (containers.length === 0) continue;
      this.#said.add(way);
      this.#parts.events.sourceFallback(name, [...new Set(containers)]);
    }
  }

  /** The copy that is read instead of this source; undefined if the source itself is read. */
  replacementOf(source: SourceSpec): Omit<KeptCopy, 'way'> | undefined {
    if (source.kind === 'syslog' && this.#parts.pieces.isReadFromCopy(source)) return source;
    const copy = keptCopy(source);
    return copy && this.#lost.has(copy.way) ? copy : undefined;
  }

  /** Only lines logged after this time, epoch milliseconds, are taken from a source; `Infinity`: none. */
  takesAfter(source: SourceSpec): number {
    if (source.kind === 'syslog' && this.#parts.pieces.isReadFromCopy(source)) return Infinity;
    const copy = keptCopy(source);
    if (!copy) return -Infinity;
    if (this.#lost.has(copy.way)) return Infinity;
    const position = this.#parts.positions.get(`docker:${copy.containerId}`);
    const until = position === undefined ? undefined : takenUpTo(position);
    return until === undefined ? -Infinity : until + lag;
  }

  /** Stops everything. */
  close(): void {
    for (const timer of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
  }
}
