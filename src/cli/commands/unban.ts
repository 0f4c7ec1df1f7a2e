import { ControlClient } from '../../control/client.ts';
import { Dock2banError } from '../../errors.ts';
import { canonicalPrefix } from '../../net/address.ts';
import { defineCommand } from '../command.ts';
import { exitCode } from '../exit-code.ts';
import { type Output, output } from '../output.ts';
import { reportHand } from './ban.ts';
import { addresses, withJson } from './options.ts';

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
  out: Output,
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
  reportHand(result, json, out);
  return result.count > 0 && result.refused.length === 0 ? exitCode.done : exitCode.no;
}

export const command = defineCommand(
  'unban [words..]',
  'End bans: [JAIL] IP… or [JAIL] --all',
  (parser) =>
    parser
      .options({
        ...withJson,
        all: { type: 'boolean', default: false, describe: 'Every ban' },
      } as const)
      .positional('words', {
        ...addresses,
        default: [] as string[],
        describe: 'Jail (default: every jail) and addresses',
      }),
  (argv) => unban(new ControlClient(argv.socket), argv.words, argv.all, argv.json, output),
);
