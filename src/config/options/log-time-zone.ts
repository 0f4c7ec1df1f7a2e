import { invalid } from '../conf/config-error.ts';

/**
 * Minutes east of UTC of `Z`, `UTC`, `GMT`, `UTC+0200`, `GMT-01:00`, `+0530`.
 *
 * @throws ConfigError for zones without a fixed offset
 */
export function parseLogTimeZone(text: string): number {
  const zone = /^(?:Z|UTC|GMT|(?=[-+]))(?:([-+])([01]\d)(?::?([0-5]\d))?)?$/.exec(text.trim());
  if (!zone) throw invalid('time zone', text, 'write one with a fixed offset: UTC, UTC+0200 or GMT-0100');
  const [, sign, hours, minutes = '0'] = zone;
  if (sign === undefined) return 0;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/** `UTC+0200`: how a zone is written. @param minutes east of UTC */
export function zoneText(minutes: number): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  const size = Math.abs(minutes);
  return `UTC${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
}
