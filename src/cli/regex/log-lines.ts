import { createReadStream } from 'node:fs';
import { LongLine, textOf, type LineText } from '../../text/long-line.ts';
import { isFile } from './filter-file.ts';
import { shortened } from './rules.ts';

/** The log to test. */
export interface Log {
  /** `Use log file : …` and its like, as fail2ban-regex prints them. */
  readonly uses: readonly string[];
  /** Its lines from the start, each time. Comment lines (`#`) and empty ones are left out. */
  lines(): AsyncIterable<LineText> | Iterable<LineText>;
}

/** UTF-16 units of a line from which on it is kept as the controller keeps long ones, its beginning and its end. */
const longLength = 65_536;

/**
 * @param log the path of a file, or one line or several
 * @param encoding as TextDecoder knows it, and as it is to be named
 * @param singleLine whether expressions see one line at a time
 */
export async function openLog(
  log: string,
  encoding: { readonly label: string; readonly name: string },
  singleLine: boolean,
): Promise<Log> {
  if (await isFile(log)) {
    return {
      uses: [`Use         log file : ${log}`, `Use         encoding : ${encoding.name}`],
      lines: () => linesOfFile(log, encoding.label),
    };
  }
  const lines = log.split('\n');
  const uses =
    singleLine && lines.length === 1
      ? [`Use      single line : ${shortened(log)}`]
      : [
          `Use      multi line : ${lines.length} line(s)`,
          ...lines.slice(0, 5).map((line, i) => `| ${String(i + 1).padStart(2)}: ${shortened(line)}`),
          ...(lines.length > 5 ? ['| ...'] : []),
          '`-',
        ];
  return { uses, lines: () => lines.map((text) => stripped({ text, cut: undefined })).filter(counts) };
}

async function* linesOfFile(path: string, encoding: string): AsyncGenerator<LineText> {
  const decoder = new TextDecoder(encoding, { ignoreBOM: true });
  const current = new GrowingLine();
  const split = function* (text: string): Generator<LineText> {
    let at = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', at)) {
      current.grow(text.slice(at, end));
      const line = stripped(current.end());
      at = end + 1;
      if (counts(line)) yield line;
    }
    current.grow(text.slice(at));
  };
  const chunks: AsyncIterable<Buffer> = createReadStream(path);
  for await (const chunk of chunks) yield* split(decoder.decode(chunk, { stream: true }));
  yield* split(`${decoder.decode()}\n`);
}

/** A line as far as it has come. */
class GrowingLine {
  #begun = '';
  #long: LongLine | undefined;

  grow(text: string): void {
    if (this.#long) this.#long.push(Buffer.from(text));
    else {
      this.#begun += text;
      if (this.#begun.length <= longLength) return;
      this.#long = new LongLine();
      this.#long.push(Buffer.from(this.#begun));
      this.#begun = '';
    }
  }

  /** The line, and another begins. */
  end(): LineText {
    const line = this.#long ? textOf(this.#long.join()) : { text: this.#begun, cut: undefined };
    this.#begun = '';
    this.#long = undefined;
    return line;
  }
}

function stripped({ text, cut }: LineText): LineText {
  return { text: text.replace(/[\r\n]+$/, ''), cut };
}

function counts({ text }: LineText): boolean {
  return text !== '' && !text.startsWith('#');
}
