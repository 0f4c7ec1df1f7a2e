import { canonicalPrefix, contains } from '../../net/address.ts';
import { ControlClient } from '../../control/client.ts';
import { Dock2banError } from '../../errors.ts';
import { type Output, output } from '../output.ts';
import { exitCode } from '../exit-code.ts';
import { pythonRepr } from '../python-repr.ts';
import { defineCommand } from '../command.ts';
import { addresses, withJson } from './options.ts';

/**
 * `dock2ban banned [IP…]`: every ban by jail, or for each address the jails that ban it; printed as fail2ban-client does.
 * What a wider prefix bans is told on the side. The answer is no where addresses are asked for and none is banned.
 */
export async function banned(
  client: ControlClient,
  ips: readonly string[],
  json: boolean,
  { print, warn }: Output,
): Promise<number> {
  const byJail = Object.entries(await client.banned());
  const show = (value: unknown): void => print(`${json ? JSON.stringify(value) : pythonRepr(value)}\n`);
  if (ips.length === 0) {
    show(byJail.map(([jail, list]) => ({ [jail]: list })));
    return exitCode.done;
  }
  const jailsOf = ips.map((text) => {
    const ip = canonicalPrefix(text);
    if (ip === undefined) throw new Dock2banError('usage', `'${text}' is no IP address or prefix`);
    return byJail.flatMap(([jail, list]) => {
      const covering = list.filter((each) => each === ip || (each.includes('/') && contains(each, ip)));
      for (const each of covering)
        if (each !== ip) warn(`${ip}: jail ${jail} bans ${each}, which covers it\n`);
      return covering.length > 0 ? [jail] : [];
    });
  });
  show(jailsOf);
  return jailsOf.some((jails) => jails.length > 0) ? exitCode.done : exitCode.no;
}

export const command = defineCommand(
  'banned [ips..]',
  'Every ban by jail, or the jails that ban these addresses',
  (parser) => parser.options(withJson).positional('ips', { ...addresses, default: [] as string[] }),
  (argv) => banned(new ControlClient(argv.socket), argv.ips, argv.json, output),
);
