import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What fail2ban's tests demand of a line. */
export type Expected = Readonly<Record<string, unknown>> & {
  readonly match?: boolean;
  readonly time?: string | null;
};

/** The options that a line is to be run with. */
export interface Run {
  /** Runs of the same name share a filter, and what it remembers. */
  readonly name: string;
  readonly options: ReadonlyMap<string, string>;
  readonly journal: boolean;
  /** What the journal puts in front of the line. */
  readonly prefix: string;
}

export interface Sample {
  /** `sshd:12`. */
  readonly at: string;
  readonly text: string;
  /** Undefined for a line without annotation: it must not match. */
  readonly expected: Expected | undefined;
  readonly runs: readonly Run[];
}

type Options = Readonly<Record<string, string>>;

/**
 * Reads a filter's sample log, with those that it adds. The annotations are those of fail2ban's samplestestcase:
 * `# failJSON:` before a line, `# filterOptions:` and `# fileOptions:` for the lines that follow, `# addFILE:`.
 */
export async function readSamples(directory: string, filter: string): Promise<Sample[]> {
  const samples: Sample[] = [];
  const files = [filter];
  let common: Options = {};
  let options: Options[] = [{}];
  for (const file of files) {
    let skipped = false;
    const lines = (await readFile(join(directory, file), 'utf8')).split(/\r?\n/);
    for (let number = 0; number < lines.length; number += 1) {
      const [, kind, json = ''] =
        /^#+ ?(failJSON|(?:file|filter)Options|addFILE):(.+)$/.exec(lines[number]!) ?? [];
      let expected: Expected | undefined;
      switch (kind) {
        case 'fileOptions':
          common = JSON.parse(json) as Options;
          continue;
        case 'filterOptions': {
          const given = [JSON.parse(json) as Options | Options[]]
            .flat()
            .map((one) => ({ ...common, ...one }));
          options = given.filter((one) => holds(one['test.condition'], filter, one));
          skipped = options.length === 0;
          continue;
        }
        case 'addFILE':
          files.push(JSON.parse(json) as string);
          continue;
        case 'failJSON':
          expected = JSON.parse(json) as Expected;
          number += 1;
          break;
        default:
          if (/^#|^\s*$/.test(lines[number]!)) continue;
      }
      if (skipped) continue;
      const constraint = expected?.['constraint'] as string | undefined;
      samples.push({
        at: `${file}:${number + 1}`,
        text: lines[number]!,
        expected,
        runs: options.filter((one) => holds(constraint, filter, one)).map((one) => runOf(filter, one)),
      });
    }
  }
  return samples;
}

function runOf(filter: string, options: Options): Run {
  const own = Object.entries(options).filter(([name]) => !name.startsWith('test.'));
  return {
    name: options['test.filter-name'] ?? (own.length > 0 ? JSON.stringify(own) : filter),
    options: new Map(own),
    journal: options['logtype'] === 'journal',
    prefix: options['test.prefix-line'] ?? '',
  };
}

/** The four forms of conditions that the samples use, which are Python there. */
function holds(condition: string | undefined, filter: string, options: Options): boolean {
  if (!condition) return true;
  const [, name, option, operator, value] =
    /^(?:(name)|opts\.get\('(\w+)'\)) ?(==|!=) ?'(\w+)'$/.exec(condition) ?? [];
  if (operator === undefined) throw new Error(`unknown form of condition: ${condition}`);
  const actual = name === undefined ? options[option!] : filter;
  return (actual === value) === (operator === '==');
}
