import type { JailStatus, Status } from '../control/api.ts';
import type { ControlClient } from '../control/client.ts';
import { oneLine } from '../text/plain-text.ts';
import { exitCode } from './exit-code.ts';

/** `dock2ban status [JAIL]`: prints what `fail2ban-client status [JAIL]` prints, and below it who gets to which container, and what is not enforced. */
export async function status(
  client: ControlClient,
  jail: string | undefined,
  json: boolean,
  print: (text: string) => void,
): Promise<number> {
  const answer = jail === undefined ? await client.status() : await client.jail(jail);
  if (json) print(`${JSON.stringify(answer, null, 2)}\n`);
  else if ('banned' in answer) {
    const { journalmatch = [] } = readsJournal(answer) ? await client.options(answer.jail) : {};
    print(jailTree(answer, journalmatch));
  } else print(`${summaryTree(answer)}${access(answer)}${troubles(answer)}`);
  return exitCode.done;
}

function access({ access: closed = [] }: Status): string {
  return closed
    .map(({ container, ports, allowfrom, denyfrom }) => {
      const allowed = allowfrom ? [`allowed from ${allowfrom.join(', ') || 'nowhere'}`] : [];
      const denied = denyfrom.length > 0 ? [`denied from ${denyfrom.join(', ')}`] : [];
      return `${oneLine(`Access to ${container}: ${ports.join(', ')} ${[...denied, ...allowed].join('; ')}`)}\n`;
    })
    .join('');
}

function troubles({ firewall, docker }: Status): string {
  const unknown = (docker.troubles ?? []).map((trouble) => `Docker: ${oneLine(trouble)}\n`).join('');
  return unknown + firewall.troubles.map((trouble) => `Not enforced: ${oneLine(trouble)}\n`).join('');
}

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
