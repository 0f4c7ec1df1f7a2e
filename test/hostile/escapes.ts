/** How programs write what a client sent. */
export type Escape = (text: string) => string;

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');

/** Byte by byte, those that are special as the program has it. */
function bytewise(isSpecial: (byte: number) => boolean, write: (byte: number) => string): Escape {
  return (text) =>
    [...Buffer.from(text)]
      .map((byte) => (isSpecial(byte) ? write(byte) : String.fromCharCode(byte)))
      .join('');
}

const isControl = (byte: number): boolean => byte < 0x20 || byte >= 0x7f;
const isQuoted = (byte: number): boolean => isControl(byte) || byte === 0x22 || byte === 0x5c;

/** nginx's access log, `escape=default` (ngx_http_log_escape). */
export const nginx = bytewise(isQuoted, (byte) => `\\x${hex(byte).toUpperCase()}`);

const apacheLetters: Readonly<Record<number, string>> = { 8: 'b', 9: 't', 10: 'n', 11: 'v', 13: 'r' };

function apacheChar(byte: number): string {
  if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`;
  return `\\${apacheLetters[byte] ?? `x${hex(byte)}`}`;
}

/** Apache httpd's access log (ap_escape_logitem). */
export const apache = bytewise(isQuoted, apacheChar);
/** Its error log (ap_escape_errorlog_item): quotes stay. */
export const apacheError = bytewise((byte) => isQuoted(byte) && byte !== 0x22, apacheChar);
/** Apache writes an empty user name as "". */
export const apacheUser: Escape = (text) => (text === '' ? '""' : apache(text));

/** The inside of a JSON string. */
export const json: Escape = (text) => JSON.stringify(text).slice(1, -1);
/** PHP's json_encode: ASCII only. */
export const phpJson: Escape = (text) =>
  json(text).replaceAll(/[^\x00-\x7f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
/** As Go's logfmt writers do. */
export const logfmt: Escape = (text) => (/^[\w./@:-]*$/.test(text) ? text : JSON.stringify(text));

/** The value of a header or a request's line: servers take no control characters in it. */
export const header: Escape = (text) => text.replaceAll(/[\x00-\x1f\x7f]/g, '');
/** A user's name of HTTP's basic authentication ends at the first colon (RFC 7617), and may have any other byte. */
export const userId: Escape = (text) => text.replace(/:.*/s, '');
/** One word. */
export const word: Escape = (text) => header(text).replaceAll(' ', '');
/** A path that is percent-encoded, as clients and routers keep it. */
export const encoded: Escape = (text) => encodeURI(text.toWellFormed());
/** OpenSSH keeps so much of a name (auth.c, `%.100s`), and writes other than printable characters in octal; on standard error line feeds stay. */
export const sshUser: Escape = (text) =>
  bytewise(
    (byte) => isControl(byte) && byte !== 0x0a && byte !== 0x09,
    (byte) => `\\${byte.toString(8).padStart(3, '0')}`,
  )(text.slice(0, 100));
/** Postfix's `printable` (util/printable.c). */
export const postfix: Escape = (text) => text.replaceAll(/[\x00-\x1f\x7f]/g, '?');
