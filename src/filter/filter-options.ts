import type { Failure } from './failure.ts';
import type { NameResolver } from './resolver.ts';
import type { Allowance } from './search-budget.ts';
import type { WorkSign } from './work-sign.ts';

export interface FilterOptions {
  /** The jail's, in seconds (default 600): lines of before the start that are older don't matter. */
  readonly findtime?: number;
  /** Without it, DNS names in log lines are passed over. */
  readonly resolver?: NameResolver;
  /** Takes the failures whose name was resolved after their line had been processed. */
  readonly onResolved?: (failures: readonly Failure[]) => void;
  /** Told of each line that was too costly. */
  readonly onExceeded?: (report: ExceededReport) => void;
  /** What filters that aren't built in may spend on costly lines together; default: this one alone. */
  readonly allowance?: Allowance;
  /** Shown while a line is looked at. */
  readonly sign?: WorkSign;
  /** For tools that explain a filter: every expression is tried, times stand as logged, names as they are. */
  readonly explain?: boolean;
  /** Whether every expression is tried although one has matched; by default where `explain` is set. */
  readonly everyRegex?: boolean;
  /** Whether names stand as they are; by default where `explain` is set. */
  readonly rawNames?: boolean;
  /** Epoch milliseconds; when the filter is made it tells which years are plausible. */
  readonly clock?: () => number;
}

/** A search that was given up. */
export interface ExceededReport {
  readonly filter: string;
  /**
   * `search`: of one expression, for which the line counts as not matched; `line`: of all, so that the line counts for nothing;
   * `passed-over`: the line wasn't looked at, as lines like it have cost too much.
   */
  readonly kind: 'search' | 'line' | 'passed-over';
  /** `failregex[2]`, `datepattern`: that was searched for then, or the last time. */
  readonly expression: string;
  /** Length of the text. */
  readonly length: number;
}
