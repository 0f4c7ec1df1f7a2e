/** A point in time as exact as Docker logs it. */
export interface Instant {
  /** Since the epoch. */
  readonly seconds: number;
  /** 0 to 999,999,999. */
  readonly nanos: number;
}

const pattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) /;
/** `2026-11-22T13:44:53.123456789Z `. */
const fixedLength = 31;
const longest = 36;
const secondLength = 19;

/**
 * Reads the timestamp that Docker puts before each message on demand: RFC 3339 with nine digits, in UTC, and a space
 * (moby daemon/server/httputils WriteLogStream); from others (Podman) also with fewer digits and a zone. The seconds, which
 * many messages share, are read once.
 */
export class TimestampReader implements Instant {
  seconds = 0;
  nanos = 0;
  readonly #lastSecond = Buffer.alloc(secondLength);
  #lastSeconds = 0;

  /**
   * Reads into `seconds` and `nanos`.
   * @returns where the message's own text begins; -1: it has no timestamp
   */
  read(bytes: Buffer, start: number, end: number): number {
    if (
      end - start < fixedLength ||
      bytes[start + 29] !== 0x5a ||
      bytes[start + 30] !== 0x20 ||
      bytes[start + 19] !== 0x2e
    )
      return this.#readOther(bytes, start, end);
    let nanos = 0;
    for (let at = start + 20; at < start + 29; at++) {
      const digit = bytes[at]! - 0x30;
      if (digit < 0 || digit > 9) return -1;
      nanos = nanos * 10 + digit;
    }
    const last = this.#lastSecond;
    // The last digits differ first.
    for (let i = secondLength - 1; i >= 0; i--) {
      if (bytes[start + i] === last[i]) continue;
      const seconds = secondsOf(bytes.toString('latin1', start, start + secondLength), 'Z');
      if (seconds === undefined) return -1;
      bytes.copy(last, 0, start, start + secondLength);
      this.#lastSeconds = seconds;
      break;
    }
    this.seconds = this.#lastSeconds;
    this.nanos = nanos;
    return start + fixedLength;
  }

  #readOther(bytes: Buffer, start: number, end: number): number {
    const match = pattern.exec(bytes.toString('latin1', start, Math.min(end, start + longest)));
    if (!match) return -1;
    const [whole, second = '', fraction = '', zone = 'Z'] = match;
    const seconds = secondsOf(second, zone);
    if (seconds === undefined) return -1;
    this.seconds = seconds;
    this.nanos = Number(fraction.padEnd(9, '0'));
    return start + whole.length;
  }
}

function secondsOf(text: string, zone: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(text)) return undefined;
  const time = Date.parse(text + zone);
  return Number.isNaN(time) ? undefined : time / 1000;
}

/** Negative if `a` is before `b`, 0 if they are the same. */
export function compareInstants(a: Instant, b: Instant): number {
  return a.seconds - b.seconds || a.nanos - b.nanos;
}

/** @param ms epoch milliseconds */
export function instantOf(ms: number): Instant {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.floor(ms - seconds * 1000) * 1_000_000 };
}

/** `1763819093.123456789`: as the log API takes `since` (moby api/types/time, ParseTimestamps). */
export function formatInstant({ seconds, nanos }: Instant): string {
  return `${seconds}.${String(nanos).padStart(9, '0')}`;
}

/** Undefined if `text` is not as `formatInstant` writes it. */
export function parseInstant(text: string): Instant | undefined {
  const [, seconds, nanos] = /^(-?\d{1,12})\.(\d{9})$/.exec(text) ?? [];
  return seconds === undefined ? undefined : { seconds: Number(seconds), nanos: Number(nanos) };
}
