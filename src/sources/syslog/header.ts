/** Where the parts of a line in a syslog file stand, as offsets into the text it was found in. */
export interface SyslogHeader {
  /** The timestamp. What stands before it is `<PRI>` or nothing. */
  readonly dateStart: number;
  readonly dateEnd: number;
  /** The tag without `[pid]` and colon. */
  readonly program: string;
  /** Where the message begins, after the tag and one space. */
  readonly messageStart: number;
}

const space = 0x20;
const colon = 0x3a;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const lessThan = 0x3c;
const greaterThan = 0x3e;

/**
 * Finds the header of a line as rsyslog writes it with its traditional and its default file format:
 * `Nov 22 13:44:53 host tag[pid]: msg` and `2026-11-22T13:44:53.123456+00:00 host tag[pid]: msg`, either behind a `<PRI>`.
 * The timestamp is only located; {@link SyslogClock} reads it.
 *
 * The program is exact: the word after the host field, which must end in a colon. So ends every tag that a Docker
 * log driver sends, whatever the message; rsyslog ends a tag at the first space, or over the network at the first colon
 * and then puts a space behind it (rsyslog plugins/imuxsock/imuxsock.c, tools/pmrfc3164.c). Tags with a space or
 * colon of their own don't come out whole.
 * @param start offset of the line's first character
 * @param end offset behind its last one
 */
export function findSyslogHeader(text: string, start: number, end: number): SyslogHeader | undefined {
  const dateStart = skipPriority(text, start);
  const dateEnd = findDateEnd(text, dateStart);
  if (dateEnd === undefined || text.charCodeAt(dateEnd) !== space) return undefined;
  const hostEnd = text.indexOf(' ', dateEnd + 1);
  if (hostEnd < 0 || hostEnd >= end || hostEnd === dateEnd + 1) return undefined;
  const tagStart = hostEnd + 1;
  const nextSpace = text.indexOf(' ', tagStart);
  const tagEnd = nextSpace < 0 || nextSpace > end ? end : nextSpace;
  if (text.charCodeAt(tagEnd - 1) !== colon || tagEnd - 1 < tagStart) return undefined;
  return {
    dateStart,
    dateEnd,
    program: text.slice(tagStart, withoutPid(text, tagStart, tagEnd - 1)),
    messageStart: Math.min(tagEnd + 1, end),
  };
}

/** Where a `<PRI>` at `start` ends; `start` if there is none. */
export function skipPriority(text: string, start: number): number {
  if (text.charCodeAt(start) !== lessThan) return start;
  let at = start + 1;
  while (isDigit(text.charCodeAt(at)) && at < start + 4) at++;
  return at > start + 1 && text.charCodeAt(at) === greaterThan ? at + 1 : start;
}

/** Where a timestamp of either form ends. `Nov 22 13:44:53` has 15 characters; ISO's has 19 and then fraction and zone. */
export function findDateEnd(text: string, at: number): number | undefined {
  if (!isDigit(text.charCodeAt(at))) {
    return text.charCodeAt(at + 9) === colon && text.charCodeAt(at + 12) === colon ? at + 15 : undefined;
  }
  if (text[at + 10] !== 'T' || text.charCodeAt(at + 13) !== colon) return undefined;
  const dateEnd = text.indexOf(' ', at + 19);
  return dateEnd < 0 || dateEnd > at + 40 ? undefined : dateEnd;
}

/** The end of the tag before `[123]`, if it ends so. */
export function withoutPid(text: string, start: number, end: number): number {
  if (text.charCodeAt(end - 1) !== closeBracket) return end;
  let at = end - 2;
  while (at > start && isDigit(text.charCodeAt(at))) at--;
  return at >= start && at < end - 2 && text.charCodeAt(at) === openBracket ? at : end;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
