import { HeldBytes } from '../held-bytes.ts';

/** The longest syslog message, in bytes. What a message has beyond is dropped. */
export const maxMessageBytes = 64 * 1024;

const newline = 0x0a;
const space = 0x20;
const lessThan = 0x3c;
const nothing = Buffer.alloc(0);
/** `123456789 <`: more digits than that are no length. */
const mostDigits = 9;

/**
 * Cuts the bytes of one connection into syslog messages: each behind its length (`57 <30>…`, octet counting) or each
 * ended by a newline. Which of them a sender uses shows its first message, and holds for the connection (RFC 6587, 3.4): so
 * nothing within a message can begin another. The same bytes give the same messages, however they are split over chunks.
 */
export class FrameSplitter {
  readonly #take: (message: Buffer) => void;
  #mode: 'unknown' | 'lines' | 'counted' | 'broken' = 'unknown';
  /** The beginning of the current message, or of its length. */
  readonly #held = new HeldBytes(maxMessageBytes);
  /** Bytes that the current counted message still lacks; undefined: its length isn't known yet. */
  #missing: number | undefined;
  /** The current message is longer than it may be. */
  #overlong = false;
  #cut = 0;

  /** @param take called for each message; the buffer is valid during the call */
  constructor(take: (message: Buffer) => void) {
    this.#take = take;
  }

  /** Messages so far that were longer than 64 KiB, and cut. */
  get cutMessages(): number {
    return this.#cut;
  }

  /** @returns false once lengths don't fit any more: where the next message begins can't be known */
  accept(chunk: Buffer): boolean {
    let rest = chunk;
    while (rest.length > 0 && this.#mode !== 'broken') {
      if (this.#mode === 'unknown') rest = this.#begin(rest);
      else rest = this.#mode === 'lines' ? this.#line(rest) : this.#counted(rest);
    }
    return this.#mode !== 'broken';
  }

  /** Takes in bytes until they tell lines from lengths. @returns what is to be read then, from the first byte on */
  #begin(chunk: Buffer): Buffer {
    const bytes = Buffer.concat([this.#held.take(), chunk]);
    let at = 0;
    while (at < bytes.length && at <= mostDigits && isDigit(bytes[at]!)) at++;
    const isLength = at > 0 && at <= mostDigits && bytes[0] !== 0x30;
    if (isLength && (at === bytes.length || (bytes[at] === space && at + 1 === bytes.length))) {
      this.#held.push(bytes);
      return nothing;
    }
    this.#mode = isLength && bytes[at] === space && bytes[at + 1] === lessThan ? 'counted' : 'lines';
    return bytes;
  }

  #line(chunk: Buffer): Buffer {
    const end = chunk.indexOf(newline);
    if (end < 0) {
      this.#hold(chunk);
      return nothing;
    }
    this.#emit(chunk.subarray(0, end));
    return chunk.subarray(end + 1);
  }

  #counted(chunk: Buffer): Buffer {
    if (this.#missing === undefined) return this.#length(chunk);
    const part = chunk.subarray(0, this.#missing);
    this.#missing -= part.length;
    if (this.#missing > 0) this.#hold(part);
    else {
      this.#missing = undefined;
      this.#emit(part);
    }
    return chunk.subarray(part.length);
  }

  /** Reads the length before a message, digit by digit. Some senders end a counted message with a newline all the same. */
  #length(chunk: Buffer): Buffer {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]!;
      if (isDigit(byte) && this.#held.length < mostDigits) this.#hold(chunk.subarray(at, at + 1));
      else if (byte === space && this.#held.length > 0) {
        this.#missing = Number(this.#held.take().toString('latin1'));
        if (this.#missing === 0) this.#missing = undefined;
        return chunk.subarray(at + 1);
      } else if (byte !== newline || this.#held.length > 0) {
        this.#mode = 'broken';
        return nothing;
      }
    }
    return nothing;
  }

  #hold(part: Buffer): void {
    if (this.#held.push(part) < part.length) this.#overlong = true;
  }

  /** @param last what the message has beyond what is held */
  #emit(last: Buffer): void {
    let message = last;
    if (this.#held.length > 0 || last.length > maxMessageBytes) {
      this.#hold(last);
      message = this.#held.take();
    }
    if (this.#overlong) this.#cut++;
    this.#overlong = false;
    if (message.length > 0) this.#take(message);
  }
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
