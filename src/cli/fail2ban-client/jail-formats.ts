import { canonicalAddress, canonicalPrefix } from '../../net/address.ts';
import { parseDuration } from '../../config/options/duration.ts';
import { parseIgnoreCache } from '../../config/options/ignore-cache.ts';
import type { JailOptions } from '../../control/api.ts';
import { templatesOf } from '../../filter/dates/template-list.ts';
import { oneLine } from '../../text/plain-text.ts';
import { pythonRepr } from '../python-repr.ts';

/** `None`: what fail2ban prints of an option that isn't set. */
const none = 'None';

/** fail2ban's list of one or more entries, each on a line of its own. */
function branches(title: string, empty: string, entries: readonly string[]): string {
  if (entries.length === 0) return empty;
  const lines = entries.map((entry, i) => `${i === entries.length - 1 ? '`-' : '|-'} ${oneLine(entry)}`);
  return [title, ...lines].join('\n');
}

function expressions(list: readonly string[]): string {
  return branches(
    'The following regular expression are defined:',
    'No regular expression is defined',
    list.map((regex, i) => `[${i}]: ${regex}`),
  );
}

/** Networks, names and files stand before single addresses, as in fail2ban. */
function ignored(list: readonly string[]): string {
  const entries = list.map((entry) => canonicalPrefix(entry) ?? entry);
  const single = (entry: string): boolean => canonicalAddress(entry) !== undefined;
  return branches('These IP addresses/networks are ignored:', 'No IP address/network is ignored', [
    ...entries.filter((entry) => !single(entry)),
    ...entries.filter(single),
  ]);
}

function ignoreCache(text: string): string {
  const { key, maxCount, maxTime } = parseIgnoreCache(text);
  return pythonRepr([key, maxCount, maxTime]);
}

function datePattern(pattern: string | null): string {
  const title = 'Current date pattern set to: ';
  const templates = pattern === null ? [] : templatesOf(pattern, new Date().getFullYear());
  const [first] = templates;
  if (!first || templates.length > 2) return `${title}Default Detectors`;
  return oneLine(`${title}${first.pattern === undefined ? first.name : `${first.pattern} (${first.name})`}`);
}

/** How fail2ban-client prints each option of a jail, on `get` as after `set`. */
export const jailFormats: Readonly<Record<string, (options: JailOptions) => string>> = {
  bantime: ({ bantime }) => String(bantime),
  findtime: ({ findtime }) => String(findtime),
  maxretry: ({ maxretry }) => String(maxretry),
  maxmatches: ({ maxmatches }) => String(maxmatches),
  maxlines: ({ maxlines }) => String(maxlines),
  usedns: ({ usedns }) => usedns,
  stream: ({ stream }) => stream,
  ignoreip: ({ ignoreip }) => ignored(ignoreip),
  ignoreself: ({ ignoreself }) => boolean(ignoreself),
  ignorecommand: ({ ignorecommand }) => oneLine(ignorecommand ?? ''),
  ignorecache: ({ ignorecache }) => (ignorecache === null ? none : ignoreCache(ignorecache)),
  failregex: ({ failregex }) => expressions(failregex),
  ignoreregex: ({ ignoreregex }) => expressions(ignoreregex),
  prefregex: ({ prefregex }) => oneLine(prefregex ?? ''),
  datepattern: ({ datepattern }) => datePattern(datepattern),
  logtimezone: ({ logtimezone }) => logtimezone ?? none,
  logencoding: ({ logencoding }) =>
    `Current log encoding is set to:\n${/^(?:auto|utf-8)$/i.test(logencoding) ? 'UTF-8' : logencoding}`,
  logpath: ({ logpath }) =>
    branches('Current monitored log file(s):', 'No file is currently monitored', logpath),
  journalmatch: ({ journalmatch }) =>
    journalmatch.length === 0
      ? 'No journal match filter set'
      : `Current match filter:\n${oneLine(journalmatch.join(' + '))}`,
  blocktype: ({ blocktype }) => blocktype,
  ipv6prefix: ({ ipv6prefix }) => String(ipv6prefix),
};

/** An option of `bantime.…`: its value as it was set, times in seconds. */
export function increment(name: string, { increment: set }: JailOptions): string {
  const value = set[name];
  if (value === undefined) return none;
  switch (name) {
    case 'bantime.increment':
    case 'bantime.overalljails':
      return boolean(isTrue(value));
    case 'bantime.maxtime':
    case 'bantime.rndtime':
      return String(parseDuration(value));
    default:
      return oneLine(value);
  }
}

/** What fail2ban takes for true; everything else is false. */
export function isTrue(value: string): boolean {
  return /^(?:1|on|true|yes)$/i.test(value);
}

function boolean(value: boolean): string {
  return value ? 'True' : 'False';
}
