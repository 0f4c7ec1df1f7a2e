import type { DockerProgress } from './progress.ts';
import { compareInstants, TimestampReader, type Instant } from './timestamp.ts';
import { LongLine, textOf } from '../../text/long-line.ts';
import type { LogLine, LogStream } from '../log-line.ts';

const newline = 0x0a;
const carriageReturn = 0x0d;
/** Docker cuts lines into messages of so many bytes (moby daemon/logger/copier.go). */
export const pieceBytes = 16 * 1024;
/** Characters of a message of the engine itself that are kept. */
const longestProblem = 300;

/** New lines, and how many of them were longer than 256 KiB and cut. */
export interface LineBatch {
  readonly lines: readonly LogLine[];
  readonly cutLines: number;
}

/** A line of which pieces have come, but not its end. */
interface Pending {
  readonly begun: Instant;
  readonly line: LongLine;
}

/**
 * Makes lines of the messages of a container's log, each a line or a piece of one behind its timestamp. All pieces of a
 * line have the same timestamp (Docker 18.06 on), and all but the last have 16 KiB or more. The last may lack the newline: at the end of a
 * container's output, and always from the log driver `local` (seen with Docker 20.10).
 */
export class DockerLines {
  readonly #progress: DockerProgress;
  readonly #streams: readonly [LogStream | undefined, LogStream | undefined];
  readonly #stamp = new TimestampReader();
  readonly #pending: [Pending | undefined, Pending | undefined] = [undefined, undefined];
  /** Whether what comes next may be the rest of a line whose beginning isn't known, or stands by itself: it is passed over. */
  readonly #isRest: [boolean, boolean] = [false, false];
  /** By stream: the timestamp of the first message, if what stood before it isn't known. */
  readonly #first: [Instant | 'unknown' | undefined, Instant | 'unknown' | undefined];
  #lines: LogLine[] = [];
  #cutLines = 0;
  #problem: string | undefined;

  /**
   * @param tty whether the container has a terminal, which makes one stream of both
   * @param isTail whether the messages are the last of a log: the first may be the rest of a line
   */
  constructor(progress: DockerProgress, tty: boolean, isTail: boolean) {
    this.#progress = progress;
    this.#first = isTail ? ['unknown', 'unknown'] : [undefined, undefined];
    this.#streams = tty ? [undefined, undefined] : ['stdout', 'stderr'];
  }

  /** What the engine wrote into the log itself: why it can't read on. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** @param stream 0: stdout, 1: stderr */
  message(stream: 0 | 1, bytes: Buffer, start: number, end: number): void {
    const textStart = this.#stamp.read(bytes, start, end);
    if (textStart < 0) {
      this.engineMessage(bytes, start, end);
      return;
    }
    const pending = this.#pending[stream];
    if (pending && compareInstants(pending.begun, this.#stamp) !== 0) {
      // Its container ended within it; or this is its next piece, in old engines: then nothing tells that from a line.
      this.#close(stream, pending);
      this.#isRest[stream] = true;
    }
    for (let at = textStart; at < end;) {
      const lineEnd = bytes.indexOf(newline, at);
      if (lineEnd < 0 || lineEnd >= end) {
        this.#hold(stream, bytes, at, end);
        break;
      }
      const begun = this.#pending[stream];
      if (begun) {
        this.#hold(stream, bytes, at, lineEnd);
        this.#finish(stream, begun);
      } else if (this.#progress.take(stream, this.#stamp) && !this.#isPassedOver(stream)) {
        const textEnd = lineEnd > at && bytes[lineEnd - 1] === carriageReturn ? lineEnd - 1 : lineEnd;
        this.#emit(stream, bytes.toString('utf8', at, textEnd), this.#stamp);
      }
      this.#isRest[stream] = false;
      at = lineEnd + 1;
    }
    if (end - textStart < pieceBytes) this.endLine(stream);
  }

  /** A message of the engine's own, which has no timestamp. */
  engineMessage(bytes: Buffer, start: number, end: number): void {
    this.#problem ??= bytes
      .toString('utf8', start, Math.min(end, start + longestProblem))
      .replaceAll(/[\p{Cc}\s]+/gu, ' ')
      .trim();
  }

  /** The current line has ended, though without a newline. @param isCut whether something of it was left out at its end */
  endLine(stream: 0 | 1, isCut = false): void {
    const pending = this.#pending[stream];
    if (!pending) return;
    this.#finish(stream, pending, isCut);
    this.#progress.pass(stream, pending.begun);
    this.#isRest[stream] = false;
  }

  /** The log has ended, and with it lines whose last piece didn't come. */
  flush(): void {
    for (const stream of [0, 1] as const) {
      const pending = this.#pending[stream];
      if (pending) this.#close(stream, pending);
    }
  }

  /** The lines since the last call; undefined: none. */
  drain(): LineBatch | undefined {
    if (this.#lines.length === 0) return undefined;
    const batch = { lines: this.#lines, cutLines: this.#cutLines };
    this.#lines = [];
    this.#cutLines = 0;
    return batch;
  }

  /** More of a line would have to come, but won't: where it is cut is no end. */
  #close(stream: 0 | 1, pending: Pending): void {
    this.#finish(stream, pending, true);
    this.#progress.pass(stream, pending.begun);
  }

  #hold(stream: 0 | 1, bytes: Buffer, start: number, end: number): void {
    const { seconds, nanos } = this.#stamp;
    const at = { seconds, nanos };
    this.#progress.see(stream, at);
    if (!this.#pending[stream]) {
      this.#pending[stream] = { begun: at, line: new LongLine() };
      this.#progress.pend(stream, at);
    }
    // A copy: the chunk that this stands in can go.
    this.#pending[stream].line.push(bytes.subarray(start, end));
  }

  #finish(stream: 0 | 1, { begun, line }: Pending, isCut = false): void {
    this.#pending[stream] = undefined;
    this.#progress.pend(stream, undefined);
    if (!this.#progress.take(stream, begun) || this.#isPassedOver(stream, begun)) return;
    const { text, cut } = textOf(line.join(isCut));
    if (cut !== undefined) this.#cutLines++;
    this.#emit(stream, cut === undefined && text.endsWith('\r') ? text.slice(0, -1) : text, begun, cut);
  }

  /** Whether a line, or what looks like one, may be the rest of another. */
  #isPassedOver(stream: 0 | 1, { seconds, nanos }: Instant = this.#stamp): boolean {
    if (this.#first[stream] === 'unknown') this.#first[stream] = { seconds, nanos };
    const first = this.#first[stream];
    if (first !== undefined && compareInstants(first, { seconds, nanos }) === 0) return true;
    this.#first[stream] = undefined;
    return this.#isRest[stream];
  }

  #emit(stream: 0 | 1, text: string, { seconds, nanos }: Instant, cut?: number): void {
    const time = seconds * 1000 + Math.floor(nanos / 1_000_000);
    this.#lines.push({ text, time, dateRemoved: false, stream: this.#streams[stream], cut });
  }
}
