import { canonicalPrefix } from '../net/address.ts';
import type { HandResult } from '../control/api.ts';
import type { ControlClient } from '../control/client.ts';
import { Dock2banError } from '../errors.ts';
import { oneLine } from '../text/plain-text.ts';
import { exitCode } from './exit-code.ts';

/** Where a command prints. */
export interface Output {
  /** Whatever stands in the text, a terminal shows it and does nothing else. */
  readonly print: (text: string) => void;
  /** As `print`, on the side. */
  readonly warn: (text: string) => void;
}

/** Where a command prints that has colours or moves the cursor. */
export interface Screen {
  readonly print: Output['print'];
  /** The text as it is: what others wrote must be one line of plain text in it. */
  readonly paint: (text: string) => void;
}

/** `dock2ban ban JAIL IP…`: prints how many addresses and prefixes are newly banned, as `fail2ban-client set JAIL banip` does. */
export async function ban(
  client: ControlClient,
  jail: string,
  ips: readonly string[],
  json: boolean,
  output: Output,
): Promise<number> {
  const result = await client.ban(jail, ips);
  report(result, json, output);
  return result.refused.length === 0 ? exitCode.done : exitCode.no;
}

/**
 * `dock2ban unban [JAIL|--all] IP…`: from one jail, or from every jail; `--all` without addresses ends every ban
 * (of JAIL, if one is given). A prefix ends the bans of all that is in it. The answer is no if nothing was banned, or something still is.
 * @param words JAIL and addresses; the first is a jail if it is no address and no prefix
 */
export async function unban(
  client: ControlClient,
  words: readonly string[],
  all: boolean,
  json: boolean,
  output: Output,
): Promise<number> {
  const [first] = words;
  const jail =
    first !== undefined && canonicalPrefix(first) === undefined && !first.includes('/') ? first : undefined;
  const ips = jail === undefined ? words : words.slice(1);
  if (all === ips.length > 0) {
    throw new Dock2banError('usage', 'name the addresses to unban, or --all for every one', {
      fix: 'dock2ban unban nginx-proxy 203.0.113.7 · dock2ban unban 203.0.113.7 · dock2ban unban --all',
    });
  }
  const result = await client.unban(jail, ips);
  report(result, json, output);
  return result.count > 0 && result.refused.length === 0 ? exitCode.done : exitCode.no;
}

function report(result: HandResult, json: boolean, { print, warn }: Output): void {
  print(`${json ? JSON.stringify(result) : result.count}\n`);
  if (!json) for (const { ip, reason } of result.refused) warn(`${ip}: ${oneLine(reason)}\n`);
}
