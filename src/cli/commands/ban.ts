import type { HandResult } from '../../control/api.ts';
import { ControlClient } from '../../control/client.ts';
import { oneLine } from '../../text/plain-text.ts';
import { defineCommand } from '../command.ts';
import { exitCode } from '../exit-code.ts';
import { type Output, output } from '../output.ts';
import { addresses, jailName, withJson } from './options.ts';

/** `dock2ban ban JAIL IP…`: prints how many addresses and prefixes are newly banned, as `fail2ban-client set JAIL banip` does. */
export async function ban(
  client: ControlClient,
  jail: string,
  ips: readonly string[],
  json: boolean,
  out: Output,
): Promise<number> {
  const result = await client.ban(jail, ips);
  reportHand(result, json, out);
  return result.refused.length === 0 ? exitCode.done : exitCode.no;
}

/** Prints what a ban or unban came to. */
export function reportHand(result: HandResult, json: boolean, { print, warn }: Output): void {
  print(`${json ? JSON.stringify(result) : result.count}\n`);
  if (!json) for (const { ip, reason } of result.refused) warn(`${ip}: ${oneLine(reason)}\n`);
}

export const command = defineCommand(
  'ban <jail> <ips..>',
  'Ban addresses and prefixes by hand',
  (parser) =>
    parser
      .options(withJson)
      .positional('jail', { ...jailName, demandOption: true })
      .positional('ips', { ...addresses, demandOption: true }),
  (argv) => ban(new ControlClient(argv.socket), argv.jail, argv.ips, argv.json, output),
);
