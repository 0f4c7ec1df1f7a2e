import { hash } from 'node:crypto';

/** Bytes at the beginning of a file that tell it from others. */
export const headBytes = 256;
/**
 * Bytes before a place in a file that tell whether it still is what it was: as many as most lines have, with their times, as the
 * ends of lines are alike.
 */
export const overlapBytes = 256;

/**
 * A place in a log file, between two lines, and by what the file is known again: a number that another file may get once
 * this one is gone, and what stands at its beginning and before the place.
 */
export interface FilePosition {
  readonly dev: number;
  readonly ino: number;
  readonly offset: number;
  /** The place is in a line whose rest is unwanted. */
  readonly inLine: boolean;
  /** Length of the beginning that `head` was made of. */
  readonly headLength: number;
  readonly head: string;
  /** Of the `overlapBytes` before the place, or as many as there are. */
  readonly before: string;
  /** When the file had been written last, epoch milliseconds with fractions: what was written last before is older than it. */
  readonly written: number;
}

/** Known again with near certainty. */
export function fingerprint(bytes: Buffer): string {
  return hash('sha1', bytes, 'hex').slice(0, 16);
}

/** The text of a position, for `parsePosition`. */
export function formatPosition(position: FilePosition): string {
  const { dev, ino, offset, inLine, headLength, head, before, written } = position;
  return `file ${dev} ${ino} ${offset}${inLine ? '~' : ''} ${headLength}:${head} ${before} ${written}`;
}

/** Undefined if it is no position as `formatPosition` gives it. */
export function parsePosition(text: string): FilePosition | undefined {
  const [, dev, ino, offset, inLine, headLength, head = '', before = '', written] =
    /^file (\d{1,20}) (\d{1,20}) (\d{1,15})(~?) (\d{1,3}):([\da-f]{16}) ([\da-f]{16}) (\d{1,15}(?:\.\d{1,20})?)$/.exec(
      text,
    ) ?? [];
  if (offset === undefined || Number(headLength) > Math.min(headBytes, Number(offset))) return undefined;
  return {
    dev: Number(dev),
    ino: Number(ino),
    offset: Number(offset),
    inLine: inLine !== '',
    headLength: Number(headLength),
    head,
    before,
    written: Number(written),
  };
}

/** Whether what follows two positions is the same; undefined: nothing was read. */
export function isSamePlace(one: string | undefined, other: string | undefined): boolean {
  const [a, b] = [one, other].map((text) => (text === undefined ? undefined : parsePosition(text)));
  if (!a || !b) return (a?.offset ?? 0) === 0 && (b?.offset ?? 0) === 0;
  return a.dev === b.dev && a.ino === b.ino && a.offset === b.offset && a.inLine === b.inLine;
}
