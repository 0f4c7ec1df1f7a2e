/** What happened to the lines of a file since the start. */
export interface LineCounts {
  /** Longer than 64 KiB, and cut. */
  readonly cut: number;
  /** Times when lines were removed before they could be read, or may have been. */
  readonly gaps: number;
}

/** Whether a count has come to its first, tenth, hundredth, …: often enough to say. */
export function isMilestone(before: number, now: number): boolean {
  return now > before && (before === 0 || String(now).length > String(before).length);
}
