import { canonicalPrefix, contains } from '../../net/address.ts';
import type { BanStatus } from '../../control/api.ts';
import { localTime } from '../../text/local-time.ts';
import { pythonRepr } from '../python-repr.ts';
import { incomplete, refusal, wordsFrom, type Call } from './command.ts';

/** `banned [IP…]`: every ban by jail, or for each address the jails that ban it. */
export async function banned({ control, words }: Call): Promise<string> {
  const byJail = Object.entries(await control.banned());
  if (words.length === 0) return pythonRepr(byJail.map(([jail, list]) => ({ [jail]: list })));
  return pythonRepr(
    words.map((text) => byJail.filter(([, list]) => isBanned(text, list)).map(([jail]) => jail)),
  );
}

/** `unban --all`, `unban IP…`: in every jail; the number of bans that ended. */
export async function unban({ control, words, warn }: Call): Promise<string> {
  if (words.length === 0) throw refusal('Invalid command');
  const all = words.length === 1 && words[0] === '--all';
  return counted(await control.unban(undefined, all ? [] : addresses(words)), warn);
}

/** `get JAIL banip [SEP|--with-time]`, ordered by end. */
export async function bansOf({ control, words }: Call): Promise<string> {
  const [jail = '', , form = ' '] = words;
  const { banned: list } = await control.jail(jail);
  const ordered = list.toSorted((a, b) => endOf(a) - endOf(b) || 0);
  if (form === '--with-time') return ordered.map(timedBan).join('\n');
  return ordered.map(({ ip }) => ip).join(form);
}

/** `get JAIL banned [IP…]`: a list of its bans; 1 or 0 for an address; a list of these for several. */
export async function bannedIn({ control, words }: Call): Promise<string> {
  const [jail = '', , ...ips] = words;
  const list = (await control.jail(jail)).banned.map(({ ip }) => ip);
  if (ips.length === 0) return pythonRepr(list);
  const answers = ips.map((ip) => (isBanned(ip, list) ? 1 : 0));
  return pythonRepr(answers.length === 1 ? answers[0] : answers);
}

/** `set JAIL banip IP…`: the number of new bans. */
export async function banIn({ control, words, warn }: Call): Promise<string> {
  const [jail = '', , ...ips] = words;
  if (ips.length > 0) return counted(await control.ban(jail, addresses(ips)), warn);
  await control.jail(jail);
  return '0';
}

/**
 * `set JAIL unbanip [--report-absent] IP…`: the number of bans that ended.
 * @throws Dock2banError for the addresses that weren't banned, if they are to be reported; the others are unbanned
 */
export async function unbanIn({ control, words, warn }: Call): Promise<string> {
  const [jail = '', , ...rest] = words;
  if (rest.length === 0) throw incomplete();
  if (rest[0] !== '--report-absent') return counted(await control.unban(jail, addresses(rest)), warn);
  const list = (await control.jail(jail)).banned.map(({ ip }) => ip);
  const ips = addresses(rest.slice(1));
  const absent = ips.filter((ip) => !list.some((each) => isWithin(each, ip)));
  const present = ips.filter((ip) => !absent.includes(ip));
  const result = present.length === 0 ? '0' : counted(await control.unban(jail, present), warn);
  if (absent.length > 0) throw refusal(`not banned: ${pythonRepr(absent)}`);
  return result;
}

/** `set JAIL attempt IP [LINE…]`: one failure, or one for each line. */
export async function attempt({ control, words, warn }: Call): Promise<string> {
  const [ip = '', ...lines] = wordsFrom(words, 2);
  return counted(await control.attempt(words[0]!, addresses([ip]), lines), warn);
}

function counted(
  { count, refused }: { readonly count: number; readonly refused: readonly { ip: string; reason: string }[] },
  warn: Call['warn'],
): string {
  for (const { ip, reason } of refused) warn(`${ip}: ${reason}`);
  return String(count);
}

/** @throws Dock2banError if one is no address and no prefix: a firewall can ban nothing else */
function addresses(texts: readonly string[]): readonly string[] {
  for (const text of texts)
    if (canonicalPrefix(text) === undefined) throw refusal(`${pythonRepr(text)} is no IP address or prefix`);
  return texts;
}

/** Whether an address or prefix is in a list of canonical ones, or covered by one of them. */
function isBanned(text: string, list: readonly string[]): boolean {
  const ip = canonicalPrefix(text);
  return ip !== undefined && list.some((each) => each === ip || (each.includes('/') && contains(each, ip)));
}

/** Whether a ban is what `text` names, or in the prefix that it names. */
function isWithin(ban: string, text: string): boolean {
  const prefix = canonicalPrefix(text);
  return prefix !== undefined && (prefix === ban || (prefix.includes('/') && contains(prefix, ban)));
}

/** Permanent bans stand last. */
function endOf({ until }: BanStatus): number {
  return until === null ? Number.MAX_VALUE : Date.parse(until);
}

/** `192.0.2.9 \t2026-11-22 13:58:40 + 600 = 2026-11-22 14:08:40`. */
function timedBan({ ip, since, until }: BanStatus): string {
  const start = new Date(since);
  if (until === null) return `${ip} \t${localTime(start)} + -1 = 9999-12-31 23:59:59`;
  const end = new Date(until);
  const seconds = Math.round((end.getTime() - start.getTime()) / 1000);
  return `${ip} \t${localTime(start)} + ${seconds} = ${localTime(end)}`;
}
