import type { LocalClock } from './local-clock.ts';
import { dayNames, monthNames } from './strptime-codes.ts';
import { zoneOffset } from './time-zone.ts';

const day = 86_400_000;

/** The captured fields of a date; `Y`, `m`, `H`, …, named as in `strptime`. */
export type DateFields = Readonly<Record<string, string | undefined>>;

/** What the meaning of a date depends on. */
export interface DateContext {
  /** Epoch milliseconds. */
  readonly now: number;
  /** Minutes east of UTC for dates that name no zone; undefined: local time. */
  readonly zone: number | undefined;
  readonly clock: LocalClock;
}

/**
 * The time that the fields of a date stand for, by fail2ban's rules (1.0, server/strptime.py): without a year it is this
 * year's, or last year's if that would be more than a day ahead; without a day it is today's, or yesterday's if that
 * would be ahead. Fractions of seconds don't count.
 * @returns epoch milliseconds; undefined if there is no such date
 */
export function timeOf(
  fields: DateFields,
  { now, zone: defaultZone, clock }: DateContext,
): number | undefined {
  const today = new Date(clock.wallTime(now));
  const given = yearOf(fields);
  let year = given ?? today.getUTCFullYear();
  let month = monthOf(fields);
  let dayOfMonth = number(fields['d']);
  if (month === undefined || dayOfMonth === undefined) {
    const dayOfYear = number(fields['j']) ?? dayOfYearByWeek(fields, year);
    if (dayOfYear !== undefined) {
      const date = new Date(Date.UTC(year, 0, dayOfYear));
      [year, month, dayOfMonth] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
    }
  }
  const assumeToday = month === undefined && dayOfMonth === undefined;
  if (assumeToday) [month, dayOfMonth] = [today.getUTCMonth() + 1, today.getUTCDate()];

  const zone = zoneOf(fields);
  if (zone === 'unknown') return undefined;
  const offset = zone ?? defaultZone;
  const timeOfDay = timeOfDayOf(fields);
  const midnight = dateOf(year, month, dayOfMonth);
  if (timeOfDay === undefined || midnight === undefined) return undefined;
  let date = midnight + timeOfDay - (offset ?? 0) * 60_000;
  if (assumeToday && date > today.getTime()) date -= day;
  if (given === undefined && date > today.getTime() + day) {
    const lastYear = dateOf(year - 1, month, dayOfMonth);
    if (lastYear === undefined) return undefined;
    date = lastYear + (((date % day) + day) % day);
  }
  return offset === undefined ? clock.instant(date) : date;
}

function number(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function dateOf(year: number, month: number | undefined, dayOfMonth: number | undefined): number | undefined {
  if (month === undefined || dayOfMonth === undefined) return undefined;
  const time = new Date(0).setUTCFullYear(year, month - 1, dayOfMonth);
  const date = new Date(time);
  const exists = year > 0 && date.getUTCMonth() === month - 1 && date.getUTCDate() === dayOfMonth;
  return exists ? time : undefined;
}

function yearOf(fields: DateFields): number | undefined {
  const short = number(fields['y']);
  return short === undefined ? number(fields['Y']) : short + 2000;
}

function monthOf(fields: DateFields): number | undefined {
  const [full, short] = [fields['B'], fields['b']];
  if (full !== undefined) return monthNames.full.indexOf(full.toLowerCase()) + 1;
  if (short !== undefined) return monthNames.short.indexOf(short.toLowerCase()) + 1;
  return number(fields['m']);
}

function timeOfDayOf(fields: DateFields): number | undefined {
  const hour = hourOf(fields);
  const minute = number(fields['M']) ?? 0;
  const second = number(fields['S']) ?? 0;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  return ((hour * 60 + minute) * 60 + second) * 1000;
}

function hourOf(fields: DateFields): number {
  const hour = number(fields['I']);
  if (hour === undefined) return number(fields['H']) ?? 0;
  const afternoon = fields['p']?.toLowerCase() === 'pm';
  return (hour === 12 ? 0 : hour) + (afternoon ? 12 : 0);
}

function zoneOf(fields: DateFields): number | 'unknown' | undefined {
  const zone = fields['z'] ?? fields['Z'];
  return zone === undefined ? undefined : (zoneOffset(zone) ?? 'unknown');
}

/** The day of the year, from the number of the week and the day of the week. */
function dayOfYearByWeek(fields: DateFields, year: number): number | undefined {
  const fromSunday = fields['U'] !== undefined;
  const week = number(fields['U'] ?? fields['W']);
  const weekday = weekdayOf(fields);
  if (week === undefined || weekday === undefined) return undefined;
  const shift = fromSunday ? 1 : 0;
  const first = (new Date(Date.UTC(year, 0, 1)).getUTCDay() + 6 + shift) % 7;
  const inWeek = (weekday + shift) % 7;
  return week === 0 ? 1 + inWeek - first : 1 + ((7 - first) % 7) + 7 * (week - 1) + inWeek;
}

/** Monday is 0. */
function weekdayOf(fields: DateFields): number | undefined {
  const [full, short, sundayFirst] = [fields['A'], fields['a'], number(fields['w'])];
  if (full !== undefined) return dayNames.full.indexOf(full.toLowerCase());
  if (short !== undefined) return dayNames.short.indexOf(short.toLowerCase());
  return sundayFirst === undefined ? undefined : (sundayFirst + 6) % 7;
}
