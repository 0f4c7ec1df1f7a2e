import type { BufferedLine } from './lines/buffered-line.ts';
import type { Captures } from './filter-regex.ts';

/** What one failregex made of a line. */
export interface Hit {
  /** Index of the failregex. */
  readonly regex: number;
  /** Whom it concerns; undefined for a session whose address isn't known yet. */
  readonly id: string | undefined;
  /** The address, where `<F-ID>` is something else. */
  readonly ip: string | undefined;
  /** Epoch milliseconds. */
  readonly time: number;
  /** False where `<F-NOFAIL>` holds it back. */
  readonly counts: boolean;
  readonly fields: Captures;
  /** All users of the session. */
  readonly users: ReadonlySet<string> | undefined;
  /** Lines behind it. */
  readonly lines: readonly BufferedLine[];
}

/** What becomes of a line on its way through a filter, for tools that explain it. */
export interface Trace {
  /** Indexes of the ignoreregexes that matched, once for each time. */
  readonly ignoredBy: number[];
  /** Whether the prefregex let the line pass; undefined where there is none. */
  prefixMatched: boolean | undefined;
  /** What the prefregex captured. */
  prefix: Captures | undefined;
}

/** What a filter made of a line, in full. */
export interface Examination extends Trace {
  /** One for each failregex that matched, whether it counts or not. */
  readonly hits: readonly Hit[];
}
