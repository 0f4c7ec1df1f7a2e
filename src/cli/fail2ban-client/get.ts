import { bannedIn, bansOf } from './bans.ts';
import { refusal, wordAt, type Call } from './command.ts';
import { increment, jailFormats } from './jail-formats.ts';
import { ownFirewall, serverOption } from './not-here.ts';

/** `get JAIL OPTION`, and what can be told of the server: `get logtarget`. */
export async function get(call: Call): Promise<string> {
  const { control, words } = call;
  const jail = wordAt(words, 0);
  const server = serverOption(jail);
  if (server !== undefined) return server;
  const option = wordAt(words, 1);
  switch (option) {
    case 'banip':
      return bansOf(call);
    case 'banned':
      return bannedIn(call);
    case 'actions':
      await control.jail(jail);
      return `The jail ${jail} has the following actions:\ndock2ban`;
    case 'action':
    case 'actionproperties':
    case 'actionmethods':
      throw ownFirewall();
  }
  if (option.startsWith('bantime.')) return increment(option, await control.options(jail));
  const format = Object.hasOwn(jailFormats, option) ? jailFormats[option] : undefined;
  if (!format) throw refusal('Invalid command (no get action or not yet implemented)');
  return format(await control.options(jail));
}
