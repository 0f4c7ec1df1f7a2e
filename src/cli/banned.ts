import { canonicalAddress } from '../address.ts';
import type { ControlClient } from '../control/client.ts';
import { Dock2banError } from '../errors.ts';
import { exitCode } from './exit-code.ts';
import { pythonRepr } from './python-repr.ts';

/**
 * `dock2ban banned [IP…]`: every ban by jail, or for each address the jails that ban it; printed as fail2ban-client does.
 * The answer is no where addresses are asked for and none is banned.
 */
export async function banned(
  client: ControlClient,
  ips: readonly string[],
  json: boolean,
  print: (text: string) => void,
): Promise<number> {
  const byJail = Object.entries(await client.banned());
  const show = (value: unknown): void => print(`${json ? JSON.stringify(value) : pythonRepr(value)}\n`);
  if (ips.length === 0) {
    show(byJail.map(([jail, list]) => ({ [jail]: list })));
    return exitCode.done;
  }
  const jailsOf = ips.map((text) => {
    const ip = canonicalAddress(text);
    if (ip === undefined) throw new Dock2banError('usage', `'${text}' is no IP address`);
    return byJail.filter(([, list]) => list.includes(ip)).map(([jail]) => jail);
  });
  show(jailsOf);
  return jailsOf.some((jails) => jails.length > 0) ? exitCode.done : exitCode.no;
}
