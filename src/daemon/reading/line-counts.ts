/** What happened to the lines of one log since the start. */
export interface LineCounts {
  /** Null where bytes are counted instead: of files. */
  readonly lines: number | null;
  readonly bytes: number | null;
  /** Failures found in them, by all jails. */
  readonly matched: number;
  /** Longer than 256 KiB, and cut. */
  readonly cut: number;
  /** Times when lines were removed before they could be read, or may have been. */
  readonly gaps: number;
  /** Lines lost because they came faster than they could be read, as far as somebody counts them. */
  readonly dropped: number;
}

/** The counts of one log under its name: a path, `docker:NAME`, `journal`, or the address of a listener. */
export interface SourceCounts extends LineCounts {
  readonly source: string;
}

/** Counts as they grow. */
export type Tally = { -readonly [Name in keyof LineCounts]: LineCounts[Name] };

/** @param unit what is counted of what was read */
export function newTally(unit: 'lines' | 'bytes'): Tally {
  const read = unit === 'lines' ? { lines: 0, bytes: null } : { lines: null, bytes: 0 };
  return { ...read, matched: 0, cut: 0, gaps: 0, dropped: 0 };
}

/** Adds others' counts of the same log. */
export function addCounts(tally: Tally, { lines, bytes, matched, cut, gaps, dropped }: LineCounts): void {
  if (lines !== null) tally.lines = (tally.lines ?? 0) + lines;
  if (bytes !== null) tally.bytes = (tally.bytes ?? 0) + bytes;
  tally.matched += matched;
  tally.cut += cut;
  tally.gaps += gaps;
  tally.dropped += dropped;
}

/** Whether a count has come to its first, tenth, hundredth, …: often enough to say. */
export function isMilestone(before: number, now: number): boolean {
  return now > before && (before === 0 || String(now).length > String(before).length);
}
