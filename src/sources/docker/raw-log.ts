import { HeldBytes } from '../held-bytes.ts';
import { maxMessageBytes, type TakeMessage } from './frames.ts';
import { pieceBytes } from './lines.ts';

const newline = 0x0a;
/** A timestamp of nine digits and its space. */
const stampBytes = 31;
/** A line of 256 KiB with the timestamps of its pieces. */
const mostHeld = maxMessageBytes + 1024;

/**
 * Cuts the log stream of a container with a terminal into messages. It has no frames: each line stands behind its timestamp, and
 * so does each piece of a line longer than 16 KiB, which has the timestamp of the line. Where the last piece has no newline (log
 * driver `local`), the line behind it is part of the long one: to look for a timestamp there would be to believe what anybody
 * can have a service log.
 */
export class RawLog {
  readonly #take: TakeMessage;
  readonly #endLine: () => void;
  /** The beginning of a line whose end is still to come. */
  readonly #held = new HeldBytes(mostHeld);
  /** The line was longer than may be held: its rest is dropped. */
  #skipping = false;

  /** @param endLine called at the end of a line whose rest was dropped */
  constructor(take: TakeMessage, endLine: () => void) {
    this.#take = take;
    this.#endLine = endLine;
  }

  /** @returns true: there is no telling what is no log */
  accept(chunk: Buffer): boolean {
    for (let at = 0; at < chunk.length;) {
      const lineEnd = chunk.indexOf(newline, at);
      const next = lineEnd < 0 ? chunk.length : lineEnd + 1;
      if (this.#skipping) {
        this.#skipping = lineEnd < 0;
        if (!this.#skipping) this.#endLine();
      } else if (lineEnd >= 0 && this.#held.length === 0) this.#line(chunk, at, next);
      else this.#hold(chunk, at, next, lineEnd >= 0);
      at = next;
    }
    return true;
  }

  /** The log has ended: a last line needs no newline. */
  end(): void {
    if (this.#held.length > 0) this.#release();
  }

  #hold(chunk: Buffer, start: number, end: number, isWhole: boolean): void {
    const isOverlong = this.#held.push(chunk, start, end) < end - start;
    if (!isWhole && !isOverlong) return;
    this.#release();
    if (!isOverlong) return;
    if (isWhole) this.#endLine();
    else this.#skipping = true;
  }

  #release(): void {
    const line = this.#held.take();
    this.#line(line, 0, line.length);
  }

  /** Nobody but Docker can know the timestamp of a line that is being written: where it stands again, a piece begins. */
  #line(bytes: Buffer, start: number, end: number): void {
    let from = start;
    while (end - from > stampBytes + pieceBytes) {
      const stamp = bytes.subarray(start, start + stampBytes);
      const next = bytes.subarray(0, end).indexOf(stamp, from + stampBytes + pieceBytes);
      if (next < 0) break;
      this.#take(1, bytes, from, next);
      from = next;
    }
    this.#take(1, bytes, from, end);
  }
}
