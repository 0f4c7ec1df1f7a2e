/**
 * When the entry at a cursor was logged, epoch microseconds: the field `t` of `s=…;i=…;b=…;m=…;t=…;x=…`, hexadecimal. NaN if the
 * cursor names no time.
 */
export function cursorTime(cursor: string): number {
  return Number.parseInt(/(?:^|;)t=([\da-f]+)/.exec(cursor)?.[1] ?? '', 16);
}

/** An entry's number, and in which sequence: the fields `i` and `s` of its cursor. */
export function entryNumber(
  cursor: string,
): { readonly sequence: string; readonly number: bigint } | undefined {
  const [, sequence, number] = /^s=([\da-f]+);i=([\da-f]{1,16});/.exec(cursor) ?? [];
  return sequence === undefined ? undefined : { sequence, number: BigInt(`0x${number}`) };
}
