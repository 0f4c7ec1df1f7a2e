/** A time as the API writes it. @param time epoch milliseconds */
export function iso(time: number): string {
  return new Date(time).toISOString();
}

/** The end of a ban; null: for ever. */
export function isoEnd(until: number | undefined): string | null {
  return until === undefined ? null : iso(until);
}
