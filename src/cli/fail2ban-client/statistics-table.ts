import type { JailStatus } from '../../control/api.ts';
import { oneLine } from '../../text/plain-text.ts';

/** The table of fail2ban 1.1's `stats` (client/beautifier.py): each jail's backend, and its failures and bans now and in all. */
export function statisticsTable(jails: readonly JailStatus[]): string {
  const rows = jails.map((jail) => [
    oneLine(jail.jail),
    oneLine(backendOf(jail)),
    String(jail.currentlyFailed),
    String(jail.totalFailed),
    String(jail.currentlyBanned),
    String(jail.totalBanned),
  ]);
  const width = [8, 8, 3, 3, 3, 3].map((least, i) => Math.max(least, ...rows.map((row) => row[i]!.length)));
  const wide = [width[0]!, width[1]!, width[2]! + 3 + width[3]!, width[4]! + 3 + width[5]!];
  const pair = (row: readonly string[], at: number): string =>
    `${row[at]!.padStart(width[at]!)} │ ${row[at + 1]!.padStart(width[at + 1]!)}`;
  const line = (row: readonly string[]): string =>
    ` ${[row[0]!.padEnd(wide[0]!), row[1]!.padEnd(wide[1]!), pair(row, 2), pair(row, 4)].join(' ║ ')}`;
  const title = (...texts: string[]): string => texts.map((text, i) => text.padEnd(wide[i]!)).join(' ║ ');
  const rule = (stroke: string, crossing: string): string =>
    `${stroke}${wide.map((n) => stroke.repeat(n)).join(`${stroke}${crossing}${stroke}`)}${stroke}`;
  return [
    ` ${title('', '', 'Filter', 'Actions')}`,
    ` ${title('Jail', 'Backend')} ╟─${'─'.repeat(wide[2]!)}─╫─${'─'.repeat(wide[3]!)}─`,
    line(['', '', 'cur', 'tot', 'cur', 'tot']),
    rule('═', '╬'),
    ...rows.map(line),
    rule('═', '╩'),
  ].join('\n');
}

/** The kinds of a jail's sources: `file`, `docker`, `journal`, `syslog receiver`. */
function backendOf({ sources }: JailStatus): string {
  const kinds = sources.map((source) => (source.startsWith('/') ? 'file' : source.replace(/:.*/, '')));
  return [...new Set(kinds)].join(', ');
}
