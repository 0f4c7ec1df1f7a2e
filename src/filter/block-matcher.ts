import { Block } from './search/block.ts';
import type { Failure } from './failure.ts';
import type { Filter } from './filter.ts';
import type { Reading } from './dates/line-dates.ts';
import type { Needle } from './search/needle.ts';
import { searchFor, type NeedleSearch } from './search/needle-search.ts';

/** Bytes that are made text of together: failures hold on to the text that they were found in. */
const blockSize = 65_536;
const newline = 0x0a;

/** Takes the failures that the filter of that index found in one line. */
export type TakeFailures = (filter: number, failures: readonly Failure[]) => void;

/** The expressions of a filter that a needle is for. */
interface Use {
  readonly filter: number;
  readonly expressions: readonly number[];
}

/**
 * Gives blocks of lines to many filters. The bytes are searched once for what all of them need, and only lines that have
 * some of it are cut out, and given to the filters that it concerns.
 */
export class BlockMatcher {
  readonly #filters: readonly Filter[];
  readonly #decode: (bytes: Buffer) => string;
  readonly #searchable: boolean;
  /** The needles that the search was made for, by filter. */
  #needles: readonly (readonly Needle[] | undefined)[] = [];
  #search: NeedleSearch | undefined;
  /** The filters that take part in the search. */
  #searching: readonly number[] = [];
  /** What each needle is for. */
  #uses: readonly (readonly Use[])[] = [];
  /** By filter: the expressions whose needles are in the line at hand; undefined: it has none of the filter's. */
  readonly #found: (number[] | undefined)[];

  /** @param encoding of the log, as TextDecoder knows it; undefined: UTF-8. Throws RangeError for an unknown one */
  constructor(filters: readonly Filter[], encoding = 'utf-8') {
    const decoder = new TextDecoder(encoding, { ignoreBOM: true });
    this.#filters = filters;
    this.#found = filters.map(() => undefined);
    // Buffer's own decoder is several times as fast.
    this.#decode =
      decoder.encoding === 'utf-8' ? (bytes) => bytes.toString() : (bytes) => decoder.decode(bytes);
    this.#searchable = holdsAscii.test(decoder.encoding);
  }

  /** @param bytes whole lines, each with its newline */
  match(bytes: Buffer, reading: Reading, take: TakeFailures): void {
    for (let start = 0, end: number; start < bytes.length; start = end) {
      end = bytes.length;
      if (end - start > blockSize) end = lineEnd(bytes, start, start + blockSize);
      const block = new Block(bytes.subarray(start, end), this.#decode);
      this.#prepare(block.bytes);
      if (this.#needles.includes(undefined)) this.#matchLines(block, reading, take);
      if (this.#search) this.#matchFound(this.#search, block, reading, take);
    }
  }

  /** Gives the filters one line of which something was left out between its head and its tail. */
  matchCut(head: Buffer, tail: Buffer, { now, live, by }: Reading, take: TakeFailures): void {
    const beginning = this.#decode(head);
    const text = beginning + this.#decode(tail).replace(/\r+$/, '');
    const line = { text, time: undefined, dateRemoved: false, cut: beginning.length };
    for (const [index, filter] of this.#filters.entries()) {
      const failures = filter.process(line, now, live, by);
      if (failures.length > 0) take(index, failures);
    }
  }

  /** Follows what the filters have learnt. */
  #prepare(sample: Buffer): void {
    const filters = this.#filters;
    const known = this.#needles;
    const needlesOf = (filter: Filter): readonly Needle[] | undefined =>
      this.#searchable ? filter.needles(sample) : undefined;
    if (known.length > 0 && filters.every((filter, index) => needlesOf(filter) === known[index])) return;
    const needles = filters.map(needlesOf);
    this.#needles = needles;
    const uses = new Map<string, Use[]>();
    for (const [filter, some] of needles.entries())
      for (const { text, expressions } of some ?? [])
        uses.set(text, [...(uses.get(text) ?? []), { filter, expressions }]);
    this.#uses = [...uses.values()];
    this.#searching = needles.flatMap((some, filter) => (some ? [filter] : []));
    this.#search = uses.size > 0 ? searchFor([...uses.keys()], sample) : undefined;
  }

  /** For the filters that need every line. */
  #matchLines(block: Block, reading: Reading, take: TakeFailures): void {
    const { length } = block.bytes;
    for (let start = 0, end: number; start < length; start = end + 1) {
      end = block.lineEnd(start);
      const line = { text: block.line(start, end).slice(0, -1), time: undefined, dateRemoved: false };
      for (const [index, filter] of this.#filters.entries()) {
        if (this.#needles[index]) continue;
        const failures = filter.process(line, reading.now, reading.live, reading.by);
        if (failures.length > 0) take(index, failures);
      }
    }
  }

  #matchFound(search: NeedleSearch, block: Block, reading: Reading, take: TakeFailures): void {
    const { bytes } = block;
    search.reset();
    let end = -1;
    for (let at = search.next(bytes, 0); at >= 0;) {
      // Mostly it is the next line.
      let start = end + 1;
      end = block.lineEnd(start);
      if (end < at) [start, end] = [block.lineStart(at), block.lineEnd(at)];
      for (; at >= 0 && at < end; at = search.next(bytes, at + 1)) this.#note(search.found);
      this.#matchLine(block, start, end, reading, take);
    }
    for (const index of this.#searching) this.#filters[index]!.leave(block, reading);
  }

  /** Gives a line to the filters whose needles were found in it. */
  #matchLine(block: Block, start: number, end: number, reading: Reading, take: TakeFailures): void {
    const found = this.#found;
    for (const index of this.#searching) {
      const expressions = found[index];
      if (!expressions) continue;
      found[index] = undefined;
      const failures = this.#filters[index]!.processFound(block, start, end, expressions, reading);
      if (failures.length > 0) take(index, failures);
    }
  }

  /** Notes what needles that are in the line at hand are for. */
  #note(needles: readonly number[]): void {
    for (const needle of needles) {
      for (const { filter, expressions } of this.#uses[needle]!) {
        const known = (this.#found[filter] ??= []);
        for (const index of expressions) if (!known.includes(index)) known.push(index);
      }
    }
  }
}

/** Behind the last newline before `to`; if the line goes on, behind its end. */
function lineEnd(bytes: Buffer, from: number, to: number): number {
  const last = bytes.lastIndexOf(newline, to - 1);
  return (last >= from ? last : bytes.indexOf(newline, to)) + 1;
}

/** Encodings in which a byte below 0x80 is an ASCII character whatever stands before it. */
const holdsAscii =
  /^(?:utf-8|windows-125\d|windows-874|iso-8859-\d+(?:-i)?|koi8-[ru]|macintosh|x-mac-cyrillic|ibm866|euc-(?:jp|kr))$/;
