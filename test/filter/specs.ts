import type { FilterSpec } from '../../src/filter/spec.ts';
import type { LogLine } from '../../src/sources/log-line.ts';

/** A filter of one failregex, with what else a test wants. */
export function specOf(failregex: string | readonly string[], rest: Partial<FilterSpec> = {}): FilterSpec {
  return {
    name: 'test',
    failregex: typeof failregex === 'string' ? [failregex] : failregex,
    ignoreregex: [],
    prefregex: undefined,
    datepattern: undefined,
    maxlines: 1,
    usedns: 'warn',
    logtype: 'file',
    ...rest,
  };
}

/** A line of a file. */
export function logged(text: string): LogLine {
  return { text, time: undefined, dateRemoved: false };
}

/** A line whose source has read and removed its date. */
export function dated(text: string, time: number): LogLine {
  return { text, time, dateRemoved: true };
}
