/** Up to so many needles, the runtime's own search for each is the fastest. */
const fewNeedles = 3;

/** Searches bytes for many needles at once. */
export interface NeedleSearch {
  /**
   * The next place at or behind `from` where needles begin; -1: there is none. Calls with the same bytes have to go upwards.
   */
  next(bytes: Buffer, from: number): number;
  /** Indexes of the needles that begin at the last place found. Valid until the next call. */
  readonly found: readonly number[];
  /** To be called before other bytes are searched. */
  reset(): void;
}

/**
 * @param needles of two bytes at least
 * @param sample of what will be searched: the choice of the way may depend on it, what is found doesn't
 */
export function searchFor(needles: readonly string[], sample: Buffer): NeedleSearch {
  const bytes = needles.map((needle) => Buffer.from(needle, 'latin1'));
  return bytes.length <= fewNeedles ? new SingleSearches(bytes, sample) : new ShiftSearch(bytes);
}

/** One search a needle, the nearest find first. */
class SingleSearches implements NeedleSearch {
  readonly found: number[] = [];
  readonly #needles: readonly RareTail[];
  /** Where each stands next; -1: nowhere. */
  readonly #places: number[];

  constructor(needles: readonly Buffer[], sample: Buffer) {
    const counts = new Uint32Array(256);
    for (const byte of sample.subarray(0, sampleSize)) counts[byte]! += 1;
    this.#needles = needles.map((needle) => new RareTail(needle, counts));
    this.#places = needles.map(() => unknown);
  }

  reset(): void {
    this.#places.fill(unknown);
  }

  next(bytes: Buffer, from: number): number {
    const { found } = this;
    found.length = 0;
    let nearest = -1;
    for (let i = 0; i < this.#needles.length; i += 1) {
      let place = this.#places[i]!;
      if (place === unknown || (place >= 0 && place < from)) {
        place = this.#needles[i]!.find(bytes, from);
        this.#places[i] = place;
      }
      if (place < 0 || (nearest >= 0 && place > nearest)) continue;
      if (place !== nearest) found.length = 0;
      nearest = place;
      found.push(i);
    }
    return nearest;
  }
}

const unknown = -2;
/** Bytes. */
const sampleSize = 1024;

/** Searches for a needle by what of it begins with its rarest byte: the runtime looks for the first byte first. */
class RareTail {
  readonly #needle: Buffer;
  readonly #tail: Buffer;
  readonly #ahead: number;

  constructor(needle: Buffer, counts: Uint32Array) {
    let ahead = 0;
    for (let at = 1; at <= needle.length - shortestTail; at += 1)
      if (counts[needle[at]!]! < counts[needle[ahead]!]!) ahead = at;
    this.#needle = needle;
    this.#tail = needle.subarray(ahead);
    this.#ahead = ahead;
  }

  find(bytes: Buffer, from: number): number {
    const needle = this.#needle;
    for (let at = from + this.#ahead; (at = bytes.indexOf(this.#tail, at)) >= 0; at += 1) {
      const start = at - this.#ahead;
      let matched = 0;
      while (matched < this.#ahead && bytes[start + matched] === needle[matched]) matched += 1;
      if (matched === this.#ahead) return start;
    }
    return -1;
  }
}

/** A shorter one is found too often. */
const shortestTail = 3;
/**
 * Looks at two bytes and mostly knows from them how far it can go on without missing a needle
 * (Sun Wu, Udi Manber: A Fast Algorithm for Multi-Pattern Searching, 1994).
 */
class ShiftSearch implements NeedleSearch {
  readonly found: number[] = [];
  readonly #needles: readonly Buffer[];
  /** Of every needle, so many bytes are looked at. */
  readonly #window: number;
  /** How far to go on, by the last two bytes of the window. */
  readonly #shifts = new Uint8Array(pairs);
  /** 1 where a needle may begin with these two bytes. */
  readonly #begins = new Uint8Array(pairs);
  /** The needles whose window ends in these two bytes. */
  readonly #ending = new Map<number, number[]>();

  /** @param needles of two bytes at least */
  constructor(needles: readonly Buffer[]) {
    this.#needles = needles;
    const window = Math.min(...needles.map(({ length }) => length), maxWindow);
    this.#window = window;
    this.#shifts.fill(window - 1);
    for (const [index, needle] of needles.entries()) {
      for (let at = 0; at < window - 1; at += 1) {
        const pair = pairOf(needle[at]!, needle[at + 1]!);
        this.#shifts[pair] = Math.min(this.#shifts[pair]!, window - 2 - at);
      }
      this.#begins[pairOf(needle[0]!, needle[1]!)] = 1;
      const last = pairOf(needle[window - 2]!, needle[window - 1]!);
      const others = this.#ending.get(last);
      if (others) others.push(index);
      else this.#ending.set(last, [index]);
    }
  }

  reset(): void {
    this.found.length = 0;
  }

  next(bytes: Buffer, from: number): number {
    const shifts = this.#shifts;
    const begins = this.#begins;
    const ahead = this.#window - 2;
    const last = bytes.length - 1;
    for (let at = from + ahead; at < last;) {
      const pair = pairOf(bytes[at]!, bytes[at + 1]!);
      const shift = shifts[pair]!;
      if (shift > 0) {
        at += shift;
        continue;
      }
      const start = at - ahead;
      if (begins[pairOf(bytes[start]!, bytes[start + 1]!)] === 1 && this.#verify(bytes, start, pair))
        return start;
      at += 1;
    }
    return -1;
  }

  #verify(bytes: Buffer, start: number, pair: number): boolean {
    this.found.length = 0;
    for (const index of this.#ending.get(pair)!) {
      const needle = this.#needles[index]!;
      let matched = 0;
      while (matched < needle.length && bytes[start + matched] === needle[matched]) matched += 1;
      if (matched === needle.length) this.found.push(index);
    }
    return this.found.length > 0;
  }
}

/** Fewer than there are, so that the tables stay in the processor's cache; some share a number. */
const pairs = 4096;

function pairOf(first: number, second: number): number {
  return ((first << 5) ^ second) & (pairs - 1);
}

const maxWindow = 255;
