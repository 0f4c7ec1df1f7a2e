/** Bytes that tell. */
export const magicBytes = 16;

/** By what the files begin that are no logs, and that no log begins with: most have bytes that no text has. */
const magics: readonly (readonly [kind: string, start: Buffer])[] = [
  ['compressed (gzip)', Buffer.from([0x1f, 0x8b, 0x08])],
  ['compressed (bzip2)', Buffer.from('BZh91AY&SY')],
  ['compressed (xz)', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
  ['compressed (zstd)', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ['compressed (lz4)', Buffer.from([0x04, 0x22, 0x4d, 0x18])],
  ['compressed (compress)', Buffer.from([0x1f, 0x9d, 0x90])],
  ['compressed (zip)', Buffer.from([0x50, 0x4b, 0x03, 0x04])],
  ['a file of the journal', Buffer.from('LPKSHHRH')],
  ['a database', Buffer.from('SQLite format 3\0')],
  ['a program', Buffer.from([0x7f, 0x45, 0x4c, 0x46])],
];

/**
 * What a file is that can't be a log; undefined: it may be one. Known beginnings only: that bytes look odd is no reason
 * to leave a log unread, as those who write into it could make them so.
 * @param start its first 16 bytes, or as many as it has
 */
export function packedKind(start: Buffer): string | undefined {
  return magics.find(([, magic]) => start.subarray(0, magic.length).equals(magic))?.[0];
}
