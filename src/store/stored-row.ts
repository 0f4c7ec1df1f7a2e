import type { SQLOutputValue } from 'node:sqlite';
import { canonicalPrefix } from '../net/address.ts';
import { banEnd, lastEnd } from '../jail/ban-end.ts';
import type { CountedFailures } from '../jail/failure-counter.ts';
import { decodeLines } from './matched-lines.ts';
import { mostCount, type BanRecord, type StoredBan } from './stored-ban.ts';

export type Row = Record<string, SQLOutputValue>;

/** Bytes of a text that are read at most: SQLite would take a gigabyte into memory. */
const mostText = 64 * 1024;
const jailName = /^\P{Cc}{1,200}$/u;

/** A column of text. What is longer than any of ours is read as NULL, without being taken into memory. */
export function text(column: string, most: number = mostText): string {
  return `CASE WHEN octet_length(${column}) <= ${most} THEN ${column} END AS ${column}`;
}

/** Columns of a ban without its lines. */
export const banColumns = `${text('ip')}, ${text('jail')}, since, until, count, failures, ${text('container')}`;

/**
 * A ban of the table. The file may have been in other hands: only what a ban can be is taken for one.
 * @param row with integers as BigInt
 * @returns why it is none, where it is none
 */
export function banOf(row: Row): BanRecord | string {
  const { since, until, count, failures, container } = row;
  const owner = ownerOf(row);
  if (typeof owner === 'string') return owner;
  const began = timeOf(since);
  if (began === undefined) return 'the time of the ban is no time';
  if (until !== null && typeof until !== 'bigint') return 'the end of the ban is no time';
  if (typeof count !== 'bigint') return 'the count of bans is no number';
  return {
    ...owner,
    since: began,
    until: until === null ? undefined : banEnd(Math.max(0, Number(until))),
    count: countOf(count),
    failures: typeof failures === 'bigint' ? countOf(failures) : undefined,
    container: typeof container === 'string' ? container : undefined,
  };
}

/** As `banOf`, with its lines. */
export function storedBanOf(row: Row): StoredBan | string {
  const ban = banOf(row);
  return typeof ban === 'string' ? ban : { ...ban, lines: linesOf(row) };
}

/** What was counted, of the table of failures; as `banOf`. */
export function failuresOf(row: Row): (CountedFailures & { readonly ip: string }) | string {
  const owner = ownerOf(row);
  if (typeof owner === 'string') return owner;
  const [first, last] = [timeOf(row['first']), timeOf(row['last'])];
  if (first === undefined || last === undefined || first > last) return 'the time of the failures is no time';
  const { count } = row;
  if (typeof count !== 'bigint' || count < 1n) return 'the count of failures is no number above 0';
  return { ip: owner.ip, first, last, count: countOf(count), lines: linesOf(row) };
}

/** Which row it is, for people. */
export function nameOf({ jail, ip }: Row): string {
  return `[${String(jail)}] ${String(ip)}`.slice(0, 200);
}

function ownerOf({ ip, jail }: Row): { readonly ip: string; readonly jail: string } | string {
  if (typeof jail !== 'string' || !jailName.test(jail)) return 'the jail has no name that a jail can have';
  if (typeof ip !== 'string' || canonicalPrefix(ip) !== ip) return 'the address is no address or network';
  return ip.endsWith('/0') ? 'it would ban every address' : { ip, jail };
}

function timeOf(value: SQLOutputValue | undefined): number | undefined {
  return typeof value === 'bigint' && value >= 0n && value <= lastEnd ? Number(value) : undefined;
}

function countOf(value: bigint): number {
  return Math.min(Math.max(1, Number(value)), mostCount);
}

function linesOf({ lines }: Row): readonly string[] {
  return typeof lines === 'string' ? decodeLines(lines) : [];
}
