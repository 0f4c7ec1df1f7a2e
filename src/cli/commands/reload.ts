import { ControlClient } from '../../control/client.ts';
import { type Output, output } from '../output.ts';
import { oneLine } from '../../text/plain-text.ts';
import { exitCode } from '../exit-code.ts';
import { defineCommand } from '../command.ts';
import { withJson } from './options.ts';

/**
 * `dock2ban reload [JAIL]`: prints what it came to, and what is wrong as `file:line: message (fix)`. The answer is no if the new
 * configuration was not taken.
 */
export async function reload(
  client: ControlClient,
  jail: string | undefined,
  json: boolean,
  { print, warn }: Output,
): Promise<number> {
  const result = await client.reload(jail);
  if (json) print(`${JSON.stringify(result)}\n`);
  else {
    for (const { where, message, fix } of result.problems)
      warn(`${oneLine(`${where}: ${message} (${fix})`)}\n`);
    const { started, changed, stopped } = result;
    const parts = Object.entries({ started, changed, stopped })
      .filter(([, jails]) => jails.length > 0)
      .map(([what, jails]) => `${what} ${jails.join(', ')}`);
    if (result.applied) print(`Reloaded: ${parts.join('; ') || 'no jail differs'}\n`);
    else warn('Not reloaded: the previous configuration stays active.\n');
  }
  return result.applied ? exitCode.done : exitCode.no;
}

export const command = defineCommand(
  'reload [jail]',
  'Reload the configuration; bans, counts and log positions are kept. Invalid configuration is rejected',
  (parser) =>
    parser
      .options(withJson)
      .positional('jail', { type: 'string', describe: 'Take the changes of this jail alone' })
      .example('docker exec dock2ban $0 reload', 'after an edit of jail.local or a filter'),
  (argv) => reload(new ControlClient(argv.socket), argv.jail, argv.json, output),
);
