import { ConfigError } from './config-error.ts';

/**
 * Minutes east of UTC of `Z`, `UTC`, `GMT`, `UTC+0200`, `GMT-01:00`, `+0530`.
 *
 * @throws ConfigError for zones without a fixed offset
 */
export function parseLogTimeZone(text: string): number {
  const [, sign, hours, minutes = '0'] =
    /^(?:Z|UTC|GMT|(?=[-+]))(?:([-+])([01]\d)(?::?([0-5]\d))?)?$/.exec(text.trim()) ?? unknown(text);
  if (sign === undefined) return 0;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

function unknown(text: string): never {
  throw new ConfigError(
    `${JSON.stringify(text)} is no time zone with a fixed offset`,
    'write UTC, UTC+0200 or GMT-0100',
  );
}
