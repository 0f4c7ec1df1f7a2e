import type { JailStatus, Status } from '../control/api.ts';
import { oneLine } from '../text/plain-text.ts';

/** fail2ban's tree of all jails. */
export function summaryTree({ jails }: Pick<Status, 'jails'>): string {
  return `Status\n|- Number of jail:\t${jails.length}\n\`- Jail list:\t${oneLine(jails.join(', '))}\n`;
}

/** Whether a jail reads nothing but the journal. */
export function readsJournal({ sources }: Pick<JailStatus, 'sources'>): boolean {
  return sources.length > 0 && sources.every((source) => /^journal(?::|$)/.test(source));
}

/** What a jail reads, as fail2ban's trees have it: files, or what is taken of the journal. */
export function logsOf(
  jail: Pick<JailStatus, 'sources'>,
  journalmatch: readonly string[],
): readonly [label: string, value: string] {
  return readsJournal(jail)
    ? ['Journal matches', oneLine(journalmatch.join(' + '))]
    : ['File list', oneLine(jail.sources.join(' '))];
}

/** fail2ban's tree of one jail. @param journalmatch of a jail that reads the journal */
export function jailTree(jail: JailStatus, journalmatch: readonly string[] = []): string {
  return [
    `Status for the jail: ${oneLine(jail.jail)}`,
    '|- Filter',
    `|  |- Currently failed:\t${jail.currentlyFailed}`,
    `|  |- Total failed:\t${jail.totalFailed}`,
    `|  \`- ${logsOf(jail, journalmatch).join(':\t')}`,
    '`- Actions',
    `   |- Currently banned:\t${jail.currentlyBanned}`,
    `   |- Total banned:\t${jail.totalBanned}`,
    `   \`- Banned IP list:\t${jail.banned.map(({ ip }) => ip).join(' ')}`,
    '',
  ].join('\n');
}
