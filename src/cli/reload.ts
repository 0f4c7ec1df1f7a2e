import type { ControlClient } from '../control/client.ts';
import type { Output } from './by-hand.ts';
import { oneLine } from '../text/plain-text.ts';
import { exitCode } from './exit-code.ts';

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
    else warn('Not reloaded: the configuration before stays.\n');
  }
  return result.applied ? exitCode.done : exitCode.no;
}
