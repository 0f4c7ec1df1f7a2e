import { anyLiteral } from './search/any-literal.ts';
import type { Filter } from './filter.ts';

/** Bytes of a log by which the filter chooses what to search it for: some hundred lines. */
const sampleBytes = 16_384;
/** After so many lines it is asked again: it has learnt. */
const linesToAskAgain = 65_536;
/** Up to so many strings, one search for each is the fastest. */
const fewNeedles = 3;

/**
 * Passes over lines of which a filter would make nothing, by the strings that it searches files for. Only for lines whose time the
 * source knows: otherwise the filter has to read dates, as lines without one count at the time of the line before. To find a
 * date inside of a line costs ten times as much as all else that is done with it.
 */
export class LineScreen {
  readonly #filter: Pick<Filter, 'needles'>;
  /** The log's last lines, to be shown to the filter; undefined: not now. */
  #sample: LogSample | undefined = new LogSample();
  #lines = 0;
  #hasNeedle: (text: string) => boolean = () => true;

  constructor(filter: Pick<Filter, 'needles'>) {
    this.#filter = filter;
  }

  /** False: the filter would find nothing in this line. */
  mayMatter(text: string): boolean {
    if (this.#sample?.add(text)) {
      this.#hasNeedle = anyOf(this.#filter.needles(this.#sample.bytes)?.map((needle) => needle.text));
      this.#sample = undefined;
      this.#lines = 0;
    } else if (++this.#lines >= linesToAskAgain) this.#sample ??= new LogSample();
    return this.#hasNeedle(text);
  }
}

/** Some lines of a log. */
class LogSample {
  #bytes: Buffer | undefined;
  #length = 0;

  /** Valid once it is full. */
  get bytes(): Buffer {
    return this.#bytes!;
  }

  /** @returns whether it is full now */
  add(line: string): boolean {
    this.#bytes ??= Buffer.allocUnsafeSlow(sampleBytes);
    this.#length += this.#bytes.write(`${line}\n`, this.#length, 'latin1');
    return this.#length === sampleBytes;
  }
}

/** @param needles undefined: every text will do */
function anyOf(needles: readonly string[] | undefined): (text: string) => boolean {
  if (!needles) return () => true;
  if (needles.length <= fewNeedles) return (text) => needles.some((needle) => text.includes(needle));
  const expression = anyLiteral(needles);
  return (text) => expression.test(text);
}
