/** Seconds by which the end of what the kernel holds may differ from its ban's: both count whole seconds. */
export const slack = 5;

/** The seconds that a ban is given in the kernel, 0 for ever. It ends there up to a second late, never early. @param longest in seconds */
export function secondsLeft(until: number | undefined, now: number, longest: number): number {
  return until === undefined ? 0 : Math.min(Math.max(Math.ceil((until - now) / 1000), 1), longest);
}

/** Whether what the kernel holds ends when it should. @param held undefined: it holds nothing */
export function isSameTimeout(held: number | undefined, wanted: number, tolerance: number): boolean {
  if (held === undefined) return false;
  return held === 0 || wanted === 0 ? held === wanted : Math.abs(held - wanted) <= tolerance;
}
