import { extname } from 'node:path';

/** What packing programs add to the names of old logs. */
export const packedSuffix = /\.(?:gz|bz2|xz|zst|lz4|zip|tgz|Z)$/;

/** `1`, `20261122`, `2026-11-22`, `20261122-13`, `2026-11-22_13.44.52`, … */
const turn = /^\d+(?:[-_.T]?\d+)*$/;
/** In the middle of a name a number may as well tell instances of a program apart; a date hardly does. */
const fewestDigits = 6;

/**
 * The part of a rotated log's name that was put in: `1` of `app.log.1`, `20261122` of `app.log-20261122` and of
 * `app-20261122.log`. Undefined if the name isn't made of the log's in one of the ways of logrotate and of those who do it themselves.
 * @param log the log's own name, without folder
 */
export function rotationOf(name: string, log: string): string | undefined {
  return name.startsWith(log) ? part(name.slice(log.length), 1) : inTheMiddle(name, log, fewestDigits);
}

/** The number that a log's name was given before its extension, as logrotate's option `extension` does: `1` of `app.1.log`. */
export function numberOf(name: string, log: string): string | undefined {
  return inTheMiddle(name, log, 1);
}

function inTheMiddle(name: string, log: string, fewest: number): string | undefined {
  const extension = extname(log);
  const stem = log.slice(0, log.length - extension.length);
  if (extension === '' || !name.startsWith(stem) || !name.endsWith(extension)) return undefined;
  return part(name.slice(stem.length, name.length - extension.length), fewest);
}

/** The names of the logs that a file may have been rotated from, by its own. */
export function logsOf(name: string): string[] {
  const extension = extname(name);
  const logs: string[] = [];
  for (const { index } of name.matchAll(/[-._](?=\d)/g)) {
    const stem = name.slice(0, index);
    for (const log of [stem, `${stem}${extension}`]) {
      if (log !== '' && rotationOf(name, log) !== undefined) logs.push(log);
    }
  }
  return logs;
}

/**
 * Orders what `rotationOf` gave, the older first: of dates the greater is the newer, of numbers the smaller. For logs that
 * were written last at the same time.
 */
export function compareRotations(one: string, other: string): number {
  const [a, b] = [digits(one), digits(other)];
  const isDate = a.length >= fewestDigits && b.length >= fewestDigits;
  return isDate ? (a < b ? -1 : a > b ? 1 : 0) : Number(b) - Number(a);
}

function part(between: string, fewest: number): string | undefined {
  const text = between.slice(1);
  const isPart = '.-_'.includes(between.charAt(0)) && turn.test(text) && digits(text).length >= fewest;
  return isPart ? text : undefined;
}

function digits(text: string): string {
  return text.replaceAll(/\D/g, '');
}
