import type { DockerProgress } from './docker-progress.ts';
import { compareInstants, TimestampReader, type Instant } from './docker-timestamp.ts';
import { maxLineBytes } from './line-buffer.ts';
import type { LogLine, LogStream } from './log-line.ts';

const newline = 0x0a;
const carriageReturn = 0x0d;
/** Docker cuts lines into messages of so many bytes (moby daemon/logger/copier.go). */
export const pieceBytes = 16 * 1024;
/** Characters of a message of the engine itself that are kept. */
const longestProblem = 300;

/** New lines, and how many of them were longer than 64 KiB and cut. */
export interface LineBatch {
  readonly lines: readonly LogLine[];
  readonly cutLines: number;
}

/** A line of which pieces have come, but not its end. */
interface Pending {
  readonly begun: Instant;
  pieces: Buffer[];
  bytes: number;
  /** It is longer than a line may be, and was handed on: what is still to come of it is dropped. */
  isCut: boolean;
}

/**
 * Makes lines of the messages of a container's log, each a line or a piece of one behind its timestamp. All pieces of a
 * line have the same timestamp, and all but the last have 16 KiB or more. The last may lack the newline: at the end of a
 * container's output, and always from the log driver `local` (seen with Docker 20.10).
 */
export class DockerLines {
  readonly #progress: DockerProgress;
  readonly #streams: readonly [LogStream | undefined, LogStream | undefined];
  readonly #stamp = new TimestampReader();
  readonly #pending: [Pending | undefined, Pending | undefined] = [undefined, undefined];
  #lines: LogLine[] = [];
  #cutLines = 0;
  #problem: string | undefined;

  /** @param tty whether the container has a terminal, which makes one stream of both */
  constructor(progress: DockerProgress, tty: boolean) {
    this.#progress = progress;
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
    if (pending && compareInstants(pending.begun, this.#stamp) !== 0) this.endLine(stream);
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
      } else if (this.#progress.take(stream, this.#stamp)) {
        this.#emit(stream, bytes, at, lineEnd, this.#stamp);
      }
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

  /** No more pieces of the current line will come though the log goes on. */
  endLine(stream: 0 | 1): void {
    const pending = this.#pending[stream];
    if (!pending) return;
    this.#finish(stream, pending);
    this.#progress.pass(stream, pending.begun);
  }

  /** The container has ended, and so have lines without a newline. */
  flush(): void {
    this.endLine(0);
    this.endLine(1);
  }

  /** The lines since the last call; undefined: none. */
  drain(): LineBatch | undefined {
    if (this.#lines.length === 0) return undefined;
    const batch = { lines: this.#lines, cutLines: this.#cutLines };
    this.#lines = [];
    this.#cutLines = 0;
    return batch;
  }

  #hold(stream: 0 | 1, bytes: Buffer, start: number, end: number): void {
    const { seconds, nanos } = this.#stamp;
    const at = { seconds, nanos };
    const pending = (this.#pending[stream] ??= newPending(at));
    this.#progress.see(stream, at);
    if (pending.isCut) return;
    if (pending.pieces.length === 0) this.#progress.pend(stream, at);
    // A copy: the chunk that this stands in can go.
    pending.pieces.push(Buffer.from(bytes.subarray(start, end)));
    pending.bytes += end - start;
    if (pending.bytes > maxLineBytes) {
      this.#handOn(stream, pending);
      pending.isCut = true;
    }
  }

  #finish(stream: 0 | 1, pending: Pending): void {
    if (!pending.isCut) this.#handOn(stream, pending);
    this.#pending[stream] = undefined;
  }

  #handOn(stream: 0 | 1, pending: Pending): void {
    const bytes = Buffer.concat(pending.pieces);
    pending.pieces = [];
    this.#progress.pend(stream, undefined);
    if (this.#progress.take(stream, pending.begun)) this.#emit(stream, bytes, 0, bytes.length, pending.begun);
  }

  #emit(stream: 0 | 1, bytes: Buffer, start: number, lineEnd: number, { seconds, nanos }: Instant): void {
    let end = lineEnd;
    if (end > start && bytes[end - 1] === carriageReturn) end--;
    if (end - start > maxLineBytes) {
      this.#cutLines++;
      end = start + maxLineBytes;
    }
    this.#lines.push({
      text: bytes.toString('utf8', start, end),
      time: seconds * 1000 + Math.floor(nanos / 1_000_000),
      dateRemoved: false,
      stream: this.#streams[stream],
    });
  }
}

function newPending(begun: Instant): Pending {
  return { begun, pieces: [], bytes: 0, isCut: false };
}
