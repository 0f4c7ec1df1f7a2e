import type { JailStatus, Status } from '../../control/api.ts';
import { ControlClient } from '../../control/client.ts';
import { oneLine } from '../../text/plain-text.ts';
import { exitCode } from '../exit-code.ts';
import { defineCommand } from '../command.ts';
import { jailName, withJson } from './options.ts';
import { jailTree, readsJournal, summaryTree } from '../jail-trees.ts';
import { jsonText, output } from '../output.ts';

/** `dock2ban status [JAIL]`: prints what `fail2ban-client status [JAIL]` prints, and below it what that doesn't know: who gets to which container, what is not enforced, whether bans are corroborated. */
export async function status(
  client: ControlClient,
  jail: string | undefined,
  json: boolean,
  print: (text: string) => void,
): Promise<number> {
  const answer = jail === undefined ? await client.status() : await client.jail(jail);
  if (json) print(jsonText(answer));
  else if ('banned' in answer) {
    const { journalmatch = [] } = readsJournal(answer) ? await client.options(answer.jail) : {};
    print(`${jailTree(answer, journalmatch)}${corroboration(answer)}`);
  } else print(`${summaryTree(answer)}${access(answer)}${troubles(answer)}`);
  return exitCode.done;
}

function corroboration({ corroboration: is }: JailStatus): string {
  return `${oneLine(`Bans are checked against connections: ${is}`)}\n`;
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

function troubles({ firewall, docker, unhealthy }: Status): string {
  const failing = unhealthy.map((fault) => `Unhealthy: ${oneLine(fault)}\n`).join('');
  const unknown = (docker.troubles ?? []).map((trouble) => `Docker: ${oneLine(trouble)}\n`).join('');
  const loose = firewall.troubles.map((trouble) => `Not enforced: ${oneLine(trouble)}\n`).join('');
  return unknown + loose + failing;
}

export const command = defineCommand(
  'status [jail]',
  "All jails, or one: fail2ban-client's tree",
  (parser) => parser.options(withJson).positional('jail', jailName),
  (argv) => status(new ControlClient(argv.socket), argv.jail, argv.json, output.print),
);
