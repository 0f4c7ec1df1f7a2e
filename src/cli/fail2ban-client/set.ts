import { canonicalPrefix } from '../../net/address.ts';
import { ConfigError } from '../../config/conf/config-error.ts';
import { parseLogTimeZone } from '../../config/options/log-time-zone.ts';
import type { JailEdit, JailOptions } from '../../control/api.ts';
import { pythonRepr } from '../python-repr.ts';
import { attempt, banIn, unbanIn } from './bans.ts';
import { refusal, wordAt, wordsFrom, type Call } from './command.ts';
import type { Control } from './control.ts';
import { increment, isTrue, jailFormats } from './jail-formats.ts';
import { configuredSources, noIdling, ownFirewall, refuseServerOption } from './not-here.ts';

/** `set JAIL OPTION VALUE`: changes a running jail until the next reload, and prints what `get` would. */
export async function set(call: Call): Promise<string> {
  const jail = wordAt(call.words, 0);
  refuseServerOption(jail);
  const option = wordAt(call.words, 1);
  switch (option) {
    case 'banip':
      return banIn(call);
    case 'unbanip':
      return unbanIn(call);
    case 'attempt':
      return attempt(call);
    case 'idle':
      wordAt(call.words, 2);
      throw noIdling();
    case 'addlogpath':
    case 'dellogpath':
    case 'addjournalmatch':
    case 'deljournalmatch':
      throw configuredSources(option);
    case 'addaction':
    case 'delaction':
    case 'action':
      throw ownFirewall();
  }
  return option.startsWith('bantime.') ? setIncrement(call, option) : setOption(call, option);
}

async function setIncrement({ control, words }: Call, option: string): Promise<string> {
  const value = wordAt(words, 2);
  const text = option === 'bantime.increment' ? String(isTrue(value)) : value;
  return increment(option, await control.edit(words[0]!, { set: { [option]: text } }));
}

async function setOption(call: Call, option: string): Promise<string> {
  const { control, words } = call;
  const [, verb, list = option] = /^(add|del)(.+)$/.exec(option) ?? [];
  const edit = verb === undefined ? single : verb === 'add' ? additions[list] : removals[list];
  const format = Object.hasOwn(jailFormats, list) ? jailFormats[list] : undefined;
  if (!edit || !format || (verb === undefined && !Object.hasOwn(values, option)))
    throw refusal(`Invalid command ${pythonRepr(option)} (no set action or not yet implemented)`);
  // Of all lists, only this one may be given nothing, as in fail2ban.
  const given = option === 'addignoreip' ? words.slice(2) : wordsFrom(words, 2);
  const change = await edit({ control, jail: words[0]!, option, given, warn: call.warn });
  return format(
    change === undefined ? await control.options(words[0]!) : await control.edit(words[0]!, change),
  );
}

interface Change {
  readonly control: Control;
  readonly jail: string;
  readonly option: string;
  readonly given: readonly string[];
  readonly warn: Call['warn'];
}

/** What is to be changed; undefined: nothing. */
type Edit = (change: Change) => Promise<JailEdit | undefined> | JailEdit | undefined;

const single: Edit = ({ option, given: [value = ''], warn }) => ({
  set: { [option]: values[option]!(value, warn) },
});

/** The options with one value, and that value as jail.local would have it. @throws Dock2banError as fail2ban words it */
const values: Readonly<Record<string, (value: string, warn: Call['warn']) => string>> = {
  bantime: String,
  findtime: String,
  maxretry: (value) => String(integer(value)),
  maxmatches: (value) => String(integer(value)),
  maxlines: (value) => {
    if (integer(value) < 1) throw refusal('maxlines must be integer greater than zero');
    return String(integer(value));
  },
  usedns: (value, warn) => {
    if (/^(?:yes|warn|no|raw)$/i.test(value)) return value.toLowerCase();
    warn(`'${value}' is none of yes, warn, no, raw: as in fail2ban, it means no`);
    return 'no';
  },
  ignoreself: (value) => String(isTrue(value)),
  ignorecommand: String,
  ignorecache: String,
  prefregex: String,
  datepattern: String,
  logencoding: String,
  logtimezone: (value) => {
    if (isZone(value)) return value;
    throw refusal(`Unknown or unsupported time zone: ${pythonRepr(value)}`);
  },
  blocktype: String,
  ipv6prefix: String,
};

const additions: Readonly<Record<string, Edit>> = {
  ignoreip: ({ given }) => {
    const entries = given.filter((entry) => entry !== '');
    return entries.length === 0 ? undefined : { addignoreip: entries };
  },
  failregex: ({ given }) => ({ addfailregex: [given[0]!] }),
  ignoreregex: ({ given }) => ({ addignoreregex: [given[0]!] }),
};

const removals: Readonly<Record<string, Edit>> = {
  ignoreip: async ({ control, jail, given: [entry = ''] }) => {
    const { ignoreip } = await control.options(jail);
    const same = (text: string): string => canonicalPrefix(text) ?? text;
    const found = ignoreip.find((each) => same(each) === same(entry));
    if (found === undefined) throw refusal(`'${entry}' is not in ignoreip of jail ${jail}`);
    return { delignoreip: [found] };
  },
  failregex: (change) => removal(change, 'failregex', (index) => ({ delfailregex: [index] })),
  ignoreregex: (change) => removal(change, 'ignoreregex', (index) => ({ delignoreregex: [index] })),
};

/** An index counts from the end where it is negative; one that there isn't changes nothing. */
async function removal(
  { control, jail, given: [text = ''], warn }: Change,
  list: 'failregex' | 'ignoreregex',
  edit: (index: number) => JailEdit,
): Promise<JailEdit | undefined> {
  const index = integer(text);
  const { length } = (await control.options(jail))[list] satisfies JailOptions['failregex'];
  const place = index < 0 ? index + length : index;
  if (place >= 0 && place < length) return edit(place);
  warn(`jail ${jail} has no ${list} ${index}`);
  return undefined;
}

function isZone(text: string): boolean {
  try {
    return Number.isInteger(parseLogTimeZone(text));
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}

/** Python's `int()`. */
function integer(text: string): number {
  if (/^\s*[+-]?\d+(?:_\d+)*\s*$/.test(text)) return Number(text.replaceAll('_', ''));
  throw refusal(`invalid literal for int() with base 10: ${pythonRepr(text)}`);
}
