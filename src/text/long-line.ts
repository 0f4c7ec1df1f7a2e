/** Bytes of a line that are kept whole. */
export const mostLineBytes = 256 * 1024;
/** Of a longer line, its beginning and its end. */
const headBytes = 192 * 1024;
const tailBytes = mostLineBytes - headBytes;

/** A line that came in pieces. */
export interface JoinedLine {
  readonly bytes: Buffer;
  /** Where something was left out; undefined: it is whole. */
  readonly cut: number | undefined;
}

/** The text of a line, and where something of it was left out. */
export interface LineText {
  readonly text: string;
  readonly cut: number | undefined;
}

/** Joins the pieces of one line: whole up to 256 KiB, of more it keeps the beginning and the end. */
export class LongLine {
  #pieces: Buffer[] = [];
  /** In `#pieces`. */
  #held = 0;
  /** Of a line above the limit. */
  #head: Buffer | undefined;
  /** The last bytes behind the head, written round and round. */
  #ring: Buffer = none;
  /** Bytes behind the head so far. */
  #behind = 0;

  /** How many bytes are kept now. */
  get held(): number {
    return this.#head ? headBytes + Math.min(this.#behind, tailBytes) : this.#held;
  }

  /** Takes the next bytes, a copy of them. */
  push(bytes: Buffer): void {
    if (this.#head) {
      this.#write(bytes);
      return;
    }
    this.#pieces.push(Buffer.from(bytes));
    this.#held += bytes.length;
    if (this.#held <= mostLineBytes) return;
    const all = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#head = all.subarray(0, headBytes);
    this.#ring = Buffer.allocUnsafeSlow(tailBytes);
    this.#write(all.subarray(headBytes));
  }

  /** @param isOpen whether its end is missing: then it is cut there */
  join(isOpen = false): JoinedLine {
    if (!this.#head) {
      const bytes = Buffer.concat(this.#pieces);
      return { bytes, cut: isOpen ? bytes.length : undefined };
    }
    const head = withoutBrokenEnd(this.#head);
    // Of a line without its end, what else was left out doesn't matter.
    if (isOpen) return { bytes: head, cut: head.length };
    const at = this.#behind % tailBytes;
    const tail = withoutBrokenStart(Buffer.concat([this.#ring.subarray(at), this.#ring.subarray(0, at)]));
    return { bytes: Buffer.concat([head, tail]), cut: head.length };
  }

  #write(bytes: Buffer): void {
    for (let rest = bytes; rest.length > 0;) {
      const part = rest.subarray(0, tailBytes - (this.#behind % tailBytes));
      part.copy(this.#ring, this.#behind % tailBytes);
      this.#behind += part.length;
      rest = rest.subarray(part.length);
    }
  }
}

const none = Buffer.alloc(0);

/** The text of a joined line. */
export function textOf({ bytes, cut }: JoinedLine): LineText {
  if (cut === undefined) return { text: bytes.toString(), cut };
  const head = bytes.toString('utf8', 0, cut);
  return { text: head + bytes.toString('utf8', cut), cut: head.length };
}

/** Without the beginning of a character of UTF-8 whose rest isn't there. */
function withoutBrokenEnd(bytes: Buffer): Buffer {
  let start = bytes.length - 1;
  while (start > bytes.length - 4 && isContinuation(bytes[start])) start--;
  const first = bytes[start] ?? 0;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return start + length > bytes.length ? bytes.subarray(0, start) : bytes;
}

function withoutBrokenStart(bytes: Buffer): Buffer {
  let start = 0;
  while (start < 3 && isContinuation(bytes[start])) start++;
  return bytes.subarray(start);
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
