import { HeldBytes } from '../held-bytes.ts';

/** The streams of a container, as Docker's log API numbers them. */
export const dockerStream = { stdin: 0, stdout: 1, stderr: 2, engine: 3 } as const;

/** The longest message, in bytes: Docker's timestamp and a line of 256 KiB. What a message has beyond is dropped; Docker's have 16 KiB. */
export const maxMessageBytes = 256 * 1024 + 64;
const headerBytes = 8;

/**
 * Takes one message.
 * @param stream 0 to 3, see {@link dockerStream}
 * @param bytes holds the message in `[start, end)`; valid during the call
 */
export type TakeMessage = (stream: number, bytes: Buffer, start: number, end: number) => void;

/**
 * Cuts the multiplexed log stream of a container without a terminal into messages: each behind a header of one byte stream
 * number, three zeros, and four bytes length (Engine API, "Attach to a container", stream format; the engine writes one frame a
 * message). The same bytes give the same messages, however they are split over chunks.
 */
export class FrameDemuxer {
  readonly #take: TakeMessage;
  readonly #header = Buffer.alloc(headerBytes);
  #headerHeld = 0;
  #stream = 0;
  /** The beginning of a message whose rest is still to come. */
  readonly #held = new HeldBytes(maxMessageBytes);
  /** Bytes that this message still lacks; 0: a header comes next. */
  #missing = 0;
  #broken = false;

  constructor(take: TakeMessage) {
    this.#take = take;
  }

  /** @returns false once a header is none: where the next message begins can't be known */
  accept(chunk: Buffer): boolean {
    let at = 0;
    while (at < chunk.length && !this.#broken)
      at = this.#missing > 0 ? this.#rest(chunk, at) : this.#next(chunk, at);
    return !this.#broken;
  }

  #next(chunk: Buffer, at: number): number {
    const wanted = headerBytes - this.#headerHeld;
    if (wanted === headerBytes && chunk.length - at >= headerBytes) {
      return this.#begin(chunk, at, at + headerBytes, chunk);
    }
    const taken = chunk.copy(this.#header, this.#headerHeld, at, at + wanted);
    this.#headerHeld += taken;
    if (this.#headerHeld < headerBytes) return at + taken;
    this.#headerHeld = 0;
    return this.#begin(this.#header, 0, at + taken, chunk);
  }

  /** @returns where reading goes on in `chunk` */
  #begin(header: Buffer, headerAt: number, start: number, chunk: Buffer): number {
    const stream = header[headerAt]!;
    const zeros = header[headerAt + 1]! | header[headerAt + 2]! | header[headerAt + 3]!;
    if (stream > dockerStream.engine || zeros !== 0) {
      this.#broken = true;
      return start;
    }
    const length = header.readUInt32BE(headerAt + 4);
    const end = start + length;
    if (end <= chunk.length) {
      if (length > maxMessageBytes) {
        this.#hold(chunk, start, end);
        this.#give(stream);
      } else if (length > 0) this.#take(stream, chunk, start, end);
      return end;
    }
    this.#stream = stream;
    this.#missing = length;
    return start;
  }

  #rest(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#missing);
    this.#missing -= end - at;
    this.#hold(chunk, at, end);
    if (this.#missing === 0) this.#give(this.#stream);
    return end;
  }

  #hold(chunk: Buffer, start: number, end: number): void {
    const kept = this.#held.push(chunk, start, end);
    // Whether a message ends its line shows its last byte.
    if (kept < end - start) this.#held.bytes[this.#held.length - 1] = chunk[end - 1]!;
  }

  /** Gives out the message that is held. */
  #give(stream: number): void {
    const message = this.#held.take();
    this.#take(stream, message, 0, message.length);
  }
}
