import { type LogStream, streamOfPriority } from '../log-line.ts';
import type { SyslogClock } from './clock.ts';
import type { SyslogLine } from './follow-syslog-file.ts';
import { findDateEnd, skipPriority, withoutPid } from './header.ts';

/** What the header of a syslog message says. */
export interface MessageHeader {
  /** Who logged it: the tag without `[pid]` and colon (RFC 3164), APP-NAME (RFC 5424). */
  readonly program: string;
  /** The tag as a syslog daemon writes it to its file: `tag[pid]:`. */
  readonly tag: string;
  /** Empty: not given. */
  readonly host: string;
  /** As {@link SyslogClock} reads it; empty: not given. */
  readonly stamp: string;
  /** By the priority, as Docker sends it. */
  readonly stream: LogStream | undefined;
  /** Offset of what the program itself wrote. */
  readonly messageStart: number;
}

const byteOrderMark = 0xfeff;
/** What no tag looks like, so that no message can turn its tag into a timestamp. */
const stampShape = /^(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT[^ ]+[^ :])$/;

/**
 * Reads the header of a syslog message as it comes over the network: RFC 5424, or RFC 3164 in the forms that Docker's syslog driver and
 * syslog daemons send (moby daemon/logger/syslog, RackSec/srslog formatter.go): `<30>Nov 22 13:44:53 tag[1]: msg` without a
 * host, with one, with an ISO timestamp, without a timestamp. Undefined: it has none of these.
 *
 * The program is exact: only what stands before the message can make it. The word behind the timestamp is the tag if
 * it ends in a colon, else the host.
 */
export function findMessageHeader(text: string): MessageHeader | undefined {
  const start = skipPriority(text, 0);
  const header = findHeader(text, start);
  if (!header) return undefined;
  return { ...header, stream: start > 0 ? streamOfPriority(Number(text.slice(1, start - 1))) : undefined };
}

type HeaderWithoutStream = Omit<MessageHeader, 'stream'>;

/** @param start behind the priority; 0: there is none */
function findHeader(text: string, start: number): HeaderWithoutStream | undefined {
  if (start > 0 && /^[1-9]\d{0,2} /.test(text.slice(start, start + 4))) return findRfc5424(text, start);
  // srslog's own format has a space behind the priority.
  const dateStart = start > 0 && text[start] === ' ' ? start + 1 : start;
  const dateEnd = findDateEnd(text, dateStart);
  const stamp = text.slice(dateStart, dateEnd ?? dateStart);
  if (dateEnd === undefined || text[dateEnd] !== ' ' || !stampShape.test(stamp)) {
    return start > 0 ? findTag(text, dateStart) : undefined;
  }
  const direct = findTag(text, dateEnd + 1);
  if (direct) return { ...direct, stamp };
  const hostEnd = text.indexOf(' ', dateEnd + 1);
  if (hostEnd <= dateEnd + 1) return undefined;
  const behindHost = findTag(text, hostEnd + 1);
  return behindHost && { ...behindHost, stamp, host: text.slice(dateEnd + 1, hostEnd) };
}

/** A word that ends in a colon, and has more to it. */
function findTag(text: string, start: number): HeaderWithoutStream | undefined {
  const space = text.indexOf(' ', start);
  const end = space < 0 ? text.length : space;
  if (text[end - 1] !== ':' || end - 1 <= start) return undefined;
  const program = text.slice(start, withoutPid(text, start, end - 1));
  if (program === '') return undefined;
  return {
    program,
    tag: text.slice(start, end),
    host: '',
    stamp: '',
    messageStart: Math.min(end + 1, text.length),
  };
}

/** `1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG`, `-` for what isn't given (RFC 5424, section 6). */
function findRfc5424(text: string, start: number): HeaderWithoutStream | undefined {
  const fields: string[] = [];
  let at = start;
  while (fields.length < 6) {
    const end = text.indexOf(' ', at);
    if (end <= at) return undefined;
    fields.push(text.slice(at, end));
    at = end + 1;
  }
  const dataEnd = structuredDataEnd(text, at);
  if (dataEnd === undefined) return undefined;
  let messageStart = Math.min(dataEnd + 1, text.length);
  if (text.charCodeAt(messageStart) === byteOrderMark) messageStart++;
  const [, stamp = '', host = '', program = '', process = ''] = fields.map((field) =>
    field === '-' ? '' : field,
  );
  if (program === '') return undefined;
  const tag = process === '' ? `${program}:` : `${program}[${process}]:`;
  return { program, tag, host, stamp, messageStart };
}

/** Where `-` or `[id name="value"]…` ends; undefined if it doesn't, or something other than a space follows. */
function structuredDataEnd(text: string, start: number): number | undefined {
  let at = start;
  if (text[at] === '-') at++;
  else {
    while (text[at] === '[') {
      const end = elementEnd(text, at);
      if (end === undefined) return undefined;
      at = end;
    }
    if (at === start) return undefined;
  }
  return at === text.length || text[at] === ' ' ? at : undefined;
}

function elementEnd(text: string, start: number): number | undefined {
  let quoted = false;
  for (let at = start + 1; at < text.length; at++) {
    const char = text[at];
    if (quoted && char === '\\') at++;
    else if (char === '"') quoted = !quoted;
    else if (char === ']' && !quoted) return at + 1;
  }
  return undefined;
}

/**
 * The line that a syslog daemon would have written to its file for a message, so that filters for such files match.
 * Undefined if its timestamp is none.
 * @param hostname stands where the message names no host
 * @param received epoch milliseconds; the time of a message without timestamp
 */
export function receivedLine(
  text: string,
  { program, tag, host, stamp, stream, messageStart }: MessageHeader,
  { clock, hostname, received }: { clock: SyslogClock; hostname: string; received: number },
): SyslogLine | undefined {
  const time = stamp === '' ? received : clock.read(stamp);
  if (time === undefined) return undefined;
  const lead = ` ${host || hostname} ${tag} `;
  const line = { text: lead + text.slice(messageStart), time, dateRemoved: true, stream };
  return { program, line, messageStart: lead.length };
}

/** The text of a message's bytes in one line: without the line's end that senders add, newlines within shown as `\n`. */
export function messageText(bytes: Buffer): string {
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d || bytes[end - 1] === 0)) end--;
  const text = bytes.toString('utf8', 0, end);
  return text.includes('\n') ? text.replaceAll('\n', String.raw`\n`) : text;
}
