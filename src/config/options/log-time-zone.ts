import { zoneOffset } from '../../filter/dates/time-zone.ts';
import { invalid } from '../conf/config-error.ts';

/**
 * Minutes east of UTC of `UTC`, `UTC+0200`, `GMT-01:00`, `+0530`, and of abbreviations as fail2ban has them, such as `CET`.
 *
 * @throws ConfigError for zones without a fixed offset
 */
export function parseLogTimeZone(text: string): number {
  const offset = zoneOffset(text.trim());
  if (offset !== undefined) return offset;
  throw invalid('time zone', text, 'write one with a fixed offset: UTC, UTC+0200, GMT-0100 or CET');
}

/** `UTC+0200`: how a zone is written. @param minutes east of UTC */
export function zoneText(minutes: number): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
}
