/**
 * Whether lines with this tag can be told from all others in a syslog file. They can't if rsyslog would end it early or
 * rewrite it: with spaces, colons or control characters in it, empty, or longer than rsyslog's 511 bytes with the pid.
 */
export function isAttributableTag(tag: string): boolean {
  return /^[^\s:\p{Cc}]+$/u.test(tag) && Buffer.byteLength(tag) <= 490;
}
