import { createReadStream } from 'node:fs';
import { isFile } from './filter-file.ts';
import { shortened } from './rules.ts';

/** The log to test. */
export interface Log {
  /** `Use log file : …` and its like, as fail2ban-regex prints them. */
  readonly uses: readonly string[];
  /** Its lines from the start, each time. Comment lines (`#`) and empty ones are left out. */
  lines(): AsyncIterable<string> | Iterable<string>;
}

/** A longer line is cut off: the filters themselves look no further. */
const maxLineLength = 65_536;

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
  return { uses, lines: () => lines.map(stripped).filter(counts) };
}

async function* linesOfFile(path: string, encoding: string): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding, { ignoreBOM: true });
  let begun = '';
  const split = function* (text: string): Generator<string> {
    let at = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', at)) {
      const line = stripped((begun + text.slice(at, end)).slice(0, maxLineLength));
      begun = '';
      at = end + 1;
      if (counts(line)) yield line;
    }
    begun = (begun + text.slice(at)).slice(0, maxLineLength);
  };
  const chunks: AsyncIterable<Buffer> = createReadStream(path);
  for await (const chunk of chunks) yield* split(decoder.decode(chunk, { stream: true }));
  yield* split(`${decoder.decode()}\n`);
}

function stripped(line: string): string {
  return line.replace(/[\r\n]+$/, '');
}

function counts(line: string): boolean {
  return line !== '' && !line.startsWith('#');
}
