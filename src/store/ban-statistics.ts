import type { DatabaseSync } from 'node:sqlite';
import { canonicalPrefix } from '../net/address.ts';
import { lastEnd } from '../jail/ban-end.ts';
import { localTime } from '../text/local-time.ts';
import { mostCount } from './stored-ban.ts';

/** An address, and how often it was banned. */
export interface OffenderRecord {
  readonly ip: string;
  readonly bans: number;
  readonly jails: readonly string[];
  /** Epoch milliseconds of the latest ban. */
  readonly last: number;
}

/** What is remembered of bans, summed up. */
export interface BanStatistics {
  readonly jails: readonly { readonly jail: string; readonly addresses: number; readonly bans: number }[];
  /** Worst first. */
  readonly offenders: readonly OffenderRecord[];
  /** Addresses by the day of their latest ban, local time; newest first. */
  readonly days: readonly { readonly day: string; readonly addresses: number }[];
}

/** Bans that are looked at, newest first: a bound on the time that it takes, some ten milliseconds. */
const newest = 20_000;
const mostOffenders = 20;
const mostDays = 31;
/** Milliseconds. */
const quarterHour = 900_000;

/** @throws what SQLite throws */
export function banStatistics(db: DatabaseSync): BanStatistics {
  const recent = `(SELECT ip, jail, max(0, min(since, ${lastEnd})) AS since, max(1, min(count, ${mostCount})) AS count
    FROM ban ORDER BY id DESC LIMIT ${newest})`;
  const jails = db.prepare(
    `SELECT jail, count(*) AS addresses, sum(count) AS bans FROM ${recent} GROUP BY jail ORDER BY jail`,
  );
  const offenders = db.prepare(
    `SELECT ip, sum(count) AS bans, group_concat(jail, char(10)) AS jails, max(since) AS last FROM ${recent}
      GROUP BY ip ORDER BY bans DESC, last DESC LIMIT ${mostOffenders}`,
  );
  // SQLite takes long to tell the day of each ban; of each quarter of an hour is enough, as no zone's day begins within one.
  const quarters = db.prepare(
    `SELECT since / ${quarterHour} AS quarter, count(*) AS addresses FROM ${recent} GROUP BY quarter`,
  );
  const days = new Map<string, number>();
  for (const { quarter, addresses } of quarters.all()) {
    const day = localTime(new Date(Number(quarter) * quarterHour)).slice(0, '2026-11-22'.length);
    days.set(day, (days.get(day) ?? 0) + Number(addresses));
  }
  return {
    jails: jails.all().map((row) => ({
      jail: String(row['jail']),
      addresses: Number(row['addresses']),
      bans: Number(row['bans']),
    })),
    offenders: offenders
      .all()
      .filter(({ ip }) => typeof ip === 'string' && canonicalPrefix(ip) === ip)
      .map((row) => ({
        ip: String(row['ip']),
        bans: Number(row['bans']),
        jails: String(row['jails']).split('\n').toSorted(),
        last: Number(row['last']),
      })),
    days: [...days]
      .toSorted(([a], [b]) => (a < b ? 1 : -1))
      .slice(0, mostDays)
      .map(([day, addresses]) => ({ day, addresses })),
  };
}
