/**
 * The last moment that a ban may end at, epoch milliseconds: the end of the year 9999, beyond which dates have no form that all
 * programs read.
 */
export const lastEnd = 253_402_300_799_999;

/**
 * The end of a ban as every part of the program can hold it: whole milliseconds; undefined: for ever. So is what would end after
 * `lastEnd`, or at what is no time at all.
 */
export function banEnd(time: number | undefined): number | undefined {
  return time !== undefined && time <= lastEnd ? Math.round(time) : undefined;
}
