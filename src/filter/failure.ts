import { cutMark, withoutMarks } from './lines/cut-text.ts';
import type { Captures } from './filter-regex.ts';
import type { Hit } from './hit.ts';

/** One failure that a filter found. */
export interface Failure {
  /** What is to be banned: a canonical address, or (`<F-ID>`) any other identifier. */
  readonly id: string;
  /** Epoch milliseconds. */
  readonly time: number;
  /** How many failures this counts as; 1 but for filters that collect the attempts of a session. */
  readonly attempts: number;
  /** The matched lines, as logged. */
  readonly lines: readonly string[];
  /** `<F-USER>`, `<F-…>` captures by lower-case name. */
  readonly fields: Readonly<Record<string, string>>;
}

const noFailures: readonly Failure[] = [];

/** Those that count, of whom it is known whom they concern. */
export function failuresOf(hits: readonly Hit[]): readonly Failure[] {
  if (hits.length === 0) return noFailures;
  return hits.filter(({ counts, id }) => counts && id !== undefined).map(failureOf);
}

/** Of a hit with an id. */
export function failureOf(hit: Hit): Failure {
  return {
    id: hit.id!,
    time: hit.time,
    attempts: 1,
    lines: hit.lines.map((line) => withoutMarks(line.logged)),
    fields: fieldsOf(hit.fields),
  };
}

function fieldsOf(captures: Captures): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const name in captures) {
    const value = captures[name];
    if (value === undefined || value === cutMark) continue;
    fields[name] = withoutMarks(typeof value === 'string' ? value : value.join(' '));
  }
  return fields;
}
