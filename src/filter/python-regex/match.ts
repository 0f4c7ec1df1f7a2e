/** What named groups captured; undefined for those that took no part. */
export type Groups = Record<string, string | undefined>;

/** Where a pattern was found. */
export interface Match {
  readonly start: number;
  readonly end: number;
  /** Sets the entry of each named group. Quickest for a record that has the entries already. */
  captureInto(groups: Record<string, unknown>): void;
}

/** A match that also knows where groups stand. */
export interface SpannedMatch extends Match {
  /** Start and end of a group, by its number; undefined if it took no part. */
  span(group: number): readonly [start: number, end: number] | undefined;
}

/** What the named groups of a match captured. */
export function groupsOf(match: Match): Groups {
  const groups: Groups = {};
  match.captureInto(groups);
  return groups;
}
