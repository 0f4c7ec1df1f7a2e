const newline = 0x0a;
const carriageReturn = 0x0d;

const nul = Buffer.alloc(1);

/** Encodings of two bytes a character, in which a newline has a byte beside its own. */
type Wide = 'utf-16le' | 'utf-16be';

/** Makes lines as they stand in a file such as are searched: ended by `\n` alone, and one byte for what is ASCII. */
export class PlainLines {
  /** What the lines are encoded in when they have been made plain, as TextDecoder calls it. */
  readonly encoding: string;
  readonly #wide: Wide | undefined;

  /** @param encoding of the file, as TextDecoder knows it. Throws RangeError for an unknown one */
  constructor(encoding = 'utf-8') {
    const name = new TextDecoder(encoding).encoding;
    this.#wide = name === 'utf-16le' || name === 'utf-16be' ? name : undefined;
    this.encoding = this.#wide ? 'utf-8' : name;
  }

  /** Whether the file has two bytes a character. */
  get isWide(): boolean {
    return this.#wide !== undefined;
  }

  /**
   * @param bytes whole lines, each up to its byte 0x0a
   * @returns the same bytes if they are plain already
   */
  of(bytes: Buffer): Buffer {
    return withoutCarriageReturns(this.#wide ? narrow(bytes, this.#wide) : bytes);
  }
}

/**
 * As UTF-8. Lines were cut behind the byte 0x0a, which in little-endian UTF-16 is the first of a newline: its second may stand in front
 * of the next line. Or it was passed over, as all NULs are where a line begins: by the number of bytes it shows what is there.
 */
function narrow(bytes: Buffer, encoding: Wide): Buffer {
  const isOdd = bytes.length % 2 === 1;
  const decoder = new TextDecoder(encoding);
  if (encoding === 'utf-16be')
    return Buffer.from(decoder.decode(isOdd ? Buffer.concat([nul, bytes]) : bytes));
  const start = bytes[0] === 0 ? bytes.subarray(1) : Buffer.concat([nul, bytes]);
  return Buffer.from(decoder.decode(Buffer.concat([isOdd ? bytes : start, nul])));
}

/** As fail2ban does, who takes lines without what ends them. */
function withoutCarriageReturns(bytes: Buffer): Buffer {
  let at = endOfText(bytes, 0);
  if (at < 0) return bytes;
  const plain = Buffer.allocUnsafe(bytes.length);
  let length = 0;
  let start = 0;
  for (; at >= 0; at = endOfText(bytes, start)) {
    length += bytes.copy(plain, length, start, at);
    start = bytes.indexOf(newline, at);
  }
  length += bytes.copy(plain, length, start);
  return plain.subarray(0, length);
}

/** Where the next carriage returns before a newline begin; -1: there are none. */
function endOfText(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(carriageReturn, from); at >= 0;) {
    let end = at;
    while (bytes[end] === carriageReturn) end++;
    if (bytes[end] === newline) return at;
    at = bytes.indexOf(carriageReturn, end);
  }
  return -1;
}
