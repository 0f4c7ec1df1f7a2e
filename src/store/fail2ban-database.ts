import { lstatSync, realpathSync, statSync } from 'node:fs';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { canonicalPrefix } from '../net/address.ts';
import { Dock2banError, messageOf } from '../errors.ts';
import { banEnd, lastEnd } from '../jail/ban-end.ts';
import { capLines } from '../jail/matched-lines.ts';
import { companionsOf } from './database-files.ts';
import { mostCount, type StoredBan } from './stored-ban.ts';

/** Why a row is left out, for people. */
export type OnSkipped = (reason: string) => void;

/** Seconds that fail2ban takes for bans of which it doesn't know the duration (-2, after an upgrade of its own). */
const unknownBantime = 600;
/** Bytes of a ban's JSON that are looked at; its matches are about ten lines. */
const mostData = 1024 * 1024;

const jailName = /^[^\s,[\]\p{C}]{1,100}$/u;

/** Rows that are read. A damaged file may have no end of them. */
const mostRows = 1_000_000;

/** What a row must not be longer than is cut by SQLite, before it gets here. */
const select = `
  SELECT substr(ip, 1, 64) AS ip, substr(jail, 1, 200) AS jail,
    CAST(timeofban AS REAL) AS timeofban, CAST(bantime AS REAL) AS bantime, CAST(bancount AS REAL) AS bancount,
    CASE WHEN typeof(data) IN ('blob', 'text') AND length(data) <= ${mostData} THEN data END AS data
  FROM (SELECT * FROM bips LIMIT ${mostRows}) ORDER BY timeofban`;

/**
 * What a database of fail2ban (0.11 or newer, `dbfile`) remembers: the latest ban of each address in each jail, in force or over,
 * with how often it was banned there. The file is only read. Rows that are no bans of an address are skipped.
 *
 * @param now epoch milliseconds; bans that began later count as made now
 * @throws Dock2banError `import-unreadable` if it is no such database
 */
export function* readFail2banDatabase(path: string, now: number, onSkipped: OnSkipped): Generator<StoredBan> {
  const db = open(path);
  try {
    for (const row of db.prepare(select).iterate()) {
      const ban = banOf(row, now);
      if (typeof ban === 'string') onSkipped(ban);
      else yield ban;
    }
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    db.close();
  }
}

function open(path: string): DatabaseSync {
  // SQLite would tell "unable to open" alone.
  const trouble = troubleWith(path);
  if (trouble !== undefined) throw unreadable(path, new Error(trouble));
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, {
      readOnly: true,
      defensive: true,
      timeout: 5000,
      limits: { length: 16 * 1024 * 1024 },
    });
    db.exec(
      'PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA cache_size = -1024',
    );
    // A view or a virtual table of that name could run anything, and for ever.
    const table = db
      .prepare(
        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'bips' AND sql LIKE 'CREATE TABLE %'",
      )
      .get();
    const isGenerated = db.prepare("SELECT 1 FROM pragma_table_xinfo('bips') WHERE hidden <> 0").get();
    if (table && !isGenerated) return db;
    throw new Error('it has no table "bips"');
  } catch (error) {
    db?.close();
    throw unreadable(path, error);
  }
}

/** What SQLite would wait for, or not tell; undefined: nothing. */
function troubleWith(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return 'there is no such file';
  if (!stats.isFile()) return 'it is no regular file';
  const beside = companionsOf(realpathSync(path)).find((name) => {
    const companion = lstatSync(name, { throwIfNoEntry: false });
    return companion && !companion.isFile();
  });
  return beside === undefined ? undefined : `${beside} is no regular file`;
}

/** @returns why it is skipped, where it is */
function banOf(row: Record<string, SQLOutputValue>, now: number): StoredBan | string {
  const { ip: id, jail, timeofban, bantime, bancount, data } = row;
  const ip = typeof id === 'string' ? canonicalPrefix(id) : undefined;
  if (ip === undefined) return `${quoted(id)} is no address`;
  if (ip.endsWith('/0')) return `${ip} would ban every address`;
  if (typeof jail !== 'string' || !jailName.test(jail)) return `${ip}: ${quoted(jail)} is no name of a jail`;
  const began = typeof timeofban === 'number' ? Math.round(timeofban * 1000) : Number.NaN;
  if (!(began > 0 && began <= lastEnd)) return `[${jail}] ${ip}: the time of the ban is no time`;
  if (typeof bantime !== 'number' || !Number.isFinite(bantime)) {
    return `[${jail}] ${ip}: the duration of the ban is no number`;
  }
  const since = Math.min(began, now);
  const seconds = bantime === -2 ? unknownBantime : bantime;
  const { failures, lines } = ticketOf(data);
  return {
    jail,
    ip,
    since,
    until: seconds < 0 ? undefined : banEnd(since + seconds * 1000),
    count: countOf(bancount) ?? 1,
    failures,
    container: undefined,
    lines,
  };
}

/** fail2ban stores its ticket as JSON; a match is a line, or a list of its parts. */
function ticketOf(data: SQLOutputValue | undefined): { failures: number | undefined; lines: string[] } {
  const ticket = parsed(data);
  const matches = 'matches' in ticket && Array.isArray(ticket.matches) ? ticket.matches : [];
  const lines = matches.slice(-100).flatMap((match: unknown) => {
    if (typeof match === 'string') return match;
    return Array.isArray(match) ? match.filter((part) => typeof part === 'string').join('') : [];
  });
  return { failures: countOf('failures' in ticket ? ticket.failures : undefined), lines: capLines(lines) };
}

function parsed(data: SQLOutputValue | undefined): object {
  const text = data instanceof Uint8Array ? new TextDecoder().decode(data) : data;
  if (typeof text !== 'string') return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

function countOf(value: unknown): number | undefined {
  if (typeof value !== 'number' || !(value >= 1)) return undefined;
  return Math.min(Math.floor(value), mostCount);
}

function quoted(value: SQLOutputValue | undefined): string {
  return JSON.stringify(typeof value === 'string' ? value.slice(0, 64) : String(value));
}

function unreadable(path: string, cause: unknown): Dock2banError {
  if (cause instanceof Dock2banError) return cause;
  return new Dock2banError(
    'import-unreadable',
    `${path} cannot be read as a database of fail2ban: ${messageOf(cause)}`,
    {
      fix: "name fail2ban's dbfile (/var/lib/fail2ban/fail2ban.sqlite3) of version 0.11 or newer; an older one is brought up to date by starting a newer fail2ban with it once",
      cause,
    },
  );
}
