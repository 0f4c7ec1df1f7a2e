import type { SourceSpec } from '../../config/jail-spec.ts';
import type { SyslogLine } from '../../sources/syslog/follow-syslog-file.ts';
import type { EventLog } from '../events/event-log.ts';
import type { Positions } from './positions.ts';
import { TakenLines } from './taken-lines.ts';

/** A container whose lines come by syslog. */
export type SyslogSource = Extract<SourceSpec, { kind: 'syslog' }>;

/** The channel of a record: the host's file, or our receiver. */
export type SyslogWay = 'file' | 'receiver';

/** How far a container's lines were read by syslog, for Docker's copy to go on from. */
interface Handover {
  /** Lines logged until this time, epoch milliseconds, are not read from the copy. */
  readonly until: number;
  /** Later lines that were already taken by syslog. */
  readonly taken: TakenLines;
}

/** Of a container without a copy: which streams are not believed now; `any` where streams can't be told apart. */
type Blind = Map<string, { until: number; hasEnded: boolean }>;

interface State {
  handover: Handover | undefined;
  /** The engine reported that it keeps no copy. */
  isCopyless: boolean;
  readonly blind: Blind;
  /** The event about its long lines was logged. */
  isSaid: boolean;
}

/**
 * Bytes of a message from which on it may be a piece. Docker's drivers cut lines at 16 KiB, and give every piece a header of its own (moby
 * daemon/logger/copier.go, syslog/syslog.go); our receiver gets them as they are sent. A syslog daemon cuts once more, and drops the rest: by
 * default rsyslog at 8,096 bytes with header (runtime/glbl.c), sysklogd at 2,048 (src/syslogd.h), what follows RFC 3164 (4.1) at 1,024; what it is
 * set to can't be known. To read a container from the copy costs little, so the least of these counts, less a header. Where there is no copy,
 * lines are lost by it: there it is rsyslog's.
 */
const longest = { receiver: 16_384, file: 900, fileWithoutCopy: 7_900 };
/** Milliseconds by which a line's time in syslog may differ from that in Docker's copy: syslog often has whole seconds. */
const lag = 1_000;
/** Milliseconds for which no record behind a long one is believed if streams can't be told apart: standard error may come before its last piece. */
const blindFor = 2_000;
/** Most repetitions of a line that are looked up in the copy. */
const mostRepeated = 1000;

export interface SyslogPiecesParts {
  readonly events: Pick<EventLog, 'readFromCopy' | 'linesInPieces'>;
  readonly positions: Positions;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  /** Called when a container is to be read from elsewhere, before any further record of it is taken. */
  readonly onChange: () => void;
}

/**
 * Sees to it that the piece of a line is never taken for a line, which would let clients write lines for others. From the first record
 * of a container on that is long enough to be a piece, none is believed: Docker's own copy is read, in which pieces are joined, for as long
 * as the container exists. That record and what stands behind it come from there, each line once.
 *
 * Without a copy, a long record doesn't count, nor does what may be the rest of it. Pieces aren't joined: the driver sends no
 * last piece that is empty, so what follows a line of just 16 KiB would pass for the end of it.
 */
export class SyslogPieces {
  readonly #parts: SyslogPiecesParts;
  /** By container id. */
  readonly #states = new Map<string, State>();
  /** Lines with failures that were taken, by container id. */
  readonly #recent = new Map<string, TakenLines>();

  constructor(parts: SyslogPiecesParts) {
    this.#parts = parts;
  }

  /** Whether a container's lines are read from the copy for good. */
  isReadFromCopy({ containerId }: SyslogSource): boolean {
    return this.#stateOf(containerId).handover !== undefined;
  }

  /** Until when a container's lines were taken from syslog before it was read from the copy; epoch milliseconds. */
  readUpTo({ containerId }: SyslogSource): number | undefined {
    return this.#stateOf(containerId).handover?.until;
  }

  /** Whether a record is believed. @param sources the containers that log under its program name: one, or several that can't be told apart */
  believes(sources: readonly SyslogSource[], record: SyslogLine, way: SyslogWay): boolean {
    let isBelieved = true;
    for (const source of sources) if (!this.#believesOf(source, record, way)) isBelieved = false;
    return isBelieved;
  }

  /** Notes a believed record with a failure. */
  noteTaken(sources: readonly SyslogSource[], { line, messageStart, times = 1 }: SyslogLine): void {
    if (line.time === undefined) return;
    for (const { containerId, isCopied } of sources) {
      if (!isCopied) continue;
      const known = this.#recent.get(containerId);
      const recent = known ?? new TakenLines();
      if (!known) this.#recent.set(containerId, recent);
      for (let left = Math.min(times, mostRepeated); left > 0; left -= 1)
        recent.add(line.text.slice(messageStart), line.time, beginOf(line.time));
    }
  }

  /** Whether a line of the copy was already taken from syslog. To be asked once a line. */
  wasTaken(containerId: string, text: string, time: number): boolean {
    const state = this.#states.get(containerId);
    if (!state?.handover || state.handover.taken.size === 0) return false;
    const { until, taken } = state.handover;
    if (time <= until + 2 * lag + 1) return taken.remove(text);
    state.handover = { until, taken: new TakenLines() };
    this.#store(containerId, state);
    return false;
  }

  /** Notes that the engine keeps no copy of a container's log after all. */
  hasNoCopy(containerId: string): void {
    const state = this.#states.get(containerId);
    if (!state?.handover) return;
    state.handover = undefined;
    state.isCopyless = true;
    this.#store(containerId, state);
    this.#parts.onChange();
  }

  /** Forgets containers that are gone. */
  keepOnly(containerIds: ReadonlySet<string>): void {
    for (const known of [this.#states, this.#recent])
      for (const id of known.keys()) if (!containerIds.has(id)) known.delete(id);
  }

  /** Refreshes the stored positions, so that the age limit doesn't drop those of quiet logs. */
  keepPositions(): void {
    const { positions } = this.#parts;
    for (const key of [...this.#states.keys()].map(keyOf)) {
      const stored = positions.get(key);
      if (stored !== undefined) positions.set(key, stored);
    }
  }

  #believesOf(source: SyslogSource, record: SyslogLine, way: SyslogWay): boolean {
    const state = this.#stateOf(source.containerId);
    if (state.handover) return false;
    const hasCopy = source.isCopied === true && !state.isCopyless;
    const isLong = mayBePiece(record, way === 'receiver' ? way : hasCopy ? 'file' : 'fileWithoutCopy');
    if (!isLong) return state.blind.size === 0 || this.#sees(source, state, record);
    if (hasCopy) this.#goOver(source, state, record);
    else this.#cover(source, state, record);
    return false;
  }

  #goOver(source: SyslogSource, state: State, { line }: SyslogLine): void {
    const { containerId, container } = source;
    const from = beginOf(line.time ?? this.#parts.clock());
    const taken = this.#recent.get(containerId) ?? new TakenLines();
    this.#recent.delete(containerId);
    state.handover = { until: taken.startAt(from) - 1, taken };
    this.#store(containerId, state);
    this.#parts.events.readFromCopy(container);
    this.#parts.onChange();
  }

  #cover({ containerId, container }: SyslogSource, state: State, { line }: SyslogLine): void {
    const until = (line.time ?? this.#parts.clock()) + blindFor;
    state.blind.set(line.stream ?? 'any', { until, hasEnded: false });
    this.#store(containerId, state);
    if (state.isSaid) return;
    state.isSaid = true;
    this.#parts.events.linesInPieces(container);
  }

  /** Whether a record can't be the end of a long one. */
  #sees({ containerId }: SyslogSource, state: State, { line }: SyslogLine): boolean {
    const { blind } = state;
    let sees = true;
    for (const key of line.stream === undefined ? blind.keys() : [line.stream, 'any']) {
      const covered = blind.get(key);
      if (!covered) continue;
      const isOver = key !== 'any' || (line.time ?? this.#parts.clock()) > covered.until;
      if (covered.hasEnded && isOver) blind.delete(key);
      else sees = false;
      covered.hasEnded = true;
      // The first short record of a stream is the last piece.
      if (key !== 'any') blind.delete(key);
    }
    if (blind.size === 0) this.#store(containerId, state);
    return sees;
  }

  #stateOf(containerId: string): State {
    const known = this.#states.get(containerId);
    if (known) return known;
    const state: State = {
      handover: undefined,
      isCopyless: false,
      blind: new Map(),
      isSaid: false,
    };
    this.#states.set(containerId, state);
    const [kind, until = '', ...taken] = (this.#parts.positions.get(keyOf(containerId)) ?? '').split(' ');
    if (kind === 'copy' && until !== '')
      state.handover = { until: Number(until), taken: TakenLines.parse(taken) };
    if (kind?.startsWith('copyless')) state.isCopyless = true;
    // Whether a long record has ended is not known any more.
    if (kind === 'blind' || kind === 'copyless-blind')
      state.blind.set('any', { until: this.#parts.clock() + blindFor, hasEnded: false });
    if (kind !== '') this.#store(containerId, state);
    return state;
  }

  /** With the position behind the record, so that a restart between two pieces changes nothing. */
  #store(containerId: string, state: State): void {
    const { handover, isCopyless, blind } = state;
    const words = [...(isCopyless ? ['copyless'] : []), ...(blind.size > 0 ? ['blind'] : [])];
    const text = handover ? ['copy', handover.until, ...handover.taken.stored].join(' ') : words.join('-');
    this.#parts.positions.set(keyOf(containerId), text);
  }
}

/** From when on lines that are logged now may stand in the copy: a second before the one that the record was logged in. */
function beginOf(time: number): number {
  return Math.floor(time / 1000) * 1000 - lag;
}

function mayBePiece({ line: { text }, size }: SyslogLine, kind: keyof typeof longest): boolean {
  const least = longest[kind];
  if (size !== undefined) return size >= least;
  // A character has three bytes at most for each unit of the text.
  return text.length >= least || (text.length * 3 >= least && Buffer.byteLength(text) >= least);
}

function keyOf(containerId: string): string {
  return `syslog-pieces:${containerId}`;
}
