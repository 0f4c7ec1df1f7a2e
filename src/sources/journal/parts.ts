import type { JournalEntry } from './entry.ts';
import { fieldOf, messageOf } from './line.ts';
import { type LineText, LongLine, mostLineBytes, textOf } from '../../text/long-line.ts';

/** Fields that tell which entries are parts of one line (moby daemon/logger/journald; systemd's journald-stream.c). */
export const partFields = [
  'CONTAINER_ID_FULL',
  'CONTAINER_PARTIAL_MESSAGE',
  'CONTAINER_PARTIAL_ID',
  'CONTAINER_PARTIAL_ORDINAL',
  'CONTAINER_PARTIAL_LAST',
  'PRIORITY',
  '_STREAM_ID',
  '_LINE_BREAK',
] as const;

/** Lines that may be incomplete at a time: two for each of many containers. */
const mostOpen = 200;
/** Docker cuts lines into pieces of so many bytes. A shorter one is the last, whatever its entry says. */
const pieceBytes = 16 * 1024;

/** A line of which parts have come. */
interface OpenLine {
  readonly line: LongLine;
  /** What the engine calls it; undefined: it has no name. */
  readonly id: string | undefined;
  /** Parts that have come. */
  parts: number;
}

/** What an entry is of a line. */
interface Part {
  /** The lines of one writer come one after the other. */
  readonly key: string;
  readonly id: string | undefined;
  /** From 1 on; undefined: it isn't numbered. */
  readonly ordinal: number | undefined;
  readonly isLast: boolean;
}

/**
 * Joins what was split: Docker's journald driver cuts lines every 16 KiB, journald itself what a service prints, at its LineMax. Of a
 * line whose parts haven't all come, from the first on, none is taken for a line, as far as that can be told: newer engines number parts,
 * older ones mark all but the last (18.06 the last too).
 */
export class JournalParts {
  readonly #open = new Map<string, OpenLine>();

  /** The whole message that an entry ends; undefined if more of it is to come, or its beginning is unknown. */
  join(entry: JournalEntry): LineText | undefined {
    const message = messageOf(entry);
    const part = partOf(entry, message);
    if (!part) return bounded(message);
    const { key, id, ordinal, isLast } = part;
    const known = this.#open.get(key);
    this.#open.delete(key);
    const isNext = known !== undefined && known.id === id && (ordinal ?? known.parts + 1) === known.parts + 1;
    if (!isNext && (ordinal ?? 1) > 1) return undefined;
    const before = isNext ? known : undefined;
    if (!before && isLast) return bounded(message);
    const open = before ?? { line: new LongLine(), id, parts: 0 };
    open.line.push(Buffer.from(message));
    open.parts += 1;
    if (isLast) return textOf(open.line.join());
    this.#open.set(key, open);
    if (this.#open.size > mostOpen) this.#open.delete(this.#open.keys().next().value!);
    return undefined;
  }
}

/** A message with at most as much as is kept of a line. */
function bounded(message: string): LineText {
  if (message.length <= mostLineBytes / 3) return { text: message, cut: undefined };
  const line = new LongLine();
  line.push(Buffer.from(message));
  return textOf(line.join());
}

/** Undefined: the entry is a line by itself, whoever else writes. */
function partOf(entry: JournalEntry, message: string): Part | undefined {
  const container = fieldOf(entry, 'CONTAINER_ID_FULL');
  if (container === undefined) {
    const stream = fieldOf(entry, '_STREAM_ID');
    if (stream === undefined) return undefined;
    const isLast = fieldOf(entry, '_LINE_BREAK') !== 'line-max';
    return { key: `stream ${stream}`, id: undefined, ordinal: undefined, isLast };
  }
  // Standard output and standard error have a priority each.
  const key = `${container} ${fieldOf(entry, 'PRIORITY') ?? ''}`;
  const number = fieldOf(entry, 'CONTAINER_PARTIAL_ORDINAL');
  const isFull = message.length >= pieceBytes || Buffer.byteLength(message) >= pieceBytes;
  const isMarked = fieldOf(entry, 'CONTAINER_PARTIAL_MESSAGE') === 'true';
  return {
    key,
    id: fieldOf(entry, 'CONTAINER_PARTIAL_ID'),
    ordinal: number === undefined ? undefined : Number(number),
    isLast: !isFull || !isMarked,
  };
}
