/** What named groups captured; undefined for those that took no part. */
export type Groups = Record<string, string | undefined>;

/** Where a pattern was found. */
export interface Match {
  readonly start: number;
  readonly end: number;
  /** A new record with an entry for each named group. */
  groups(): Groups;
}

/** A match that also knows where groups stand. */
export interface SpannedMatch extends Match {
  /** Start and end of a group, by its number; undefined if it took no part. */
  span(group: number): readonly [start: number, end: number] | undefined;
}
