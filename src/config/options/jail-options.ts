import type { UseDns } from '../../filter/spec.ts';
import { parseBanFormula, parseFactor, parseMultipliers } from './bantime-increment.ts';
import { parseBlockType } from './block-type.ts';
import { invalid } from '../conf/config-error.ts';
import { parseDuration } from './duration.ts';
import { parseCall } from './filter-call.ts';
import { parseIgnoreCache } from './ignore-cache.ts';
import { parseIgnoreIp } from './ignore-ip.ts';
import { parseLogPaths } from './log-paths.ts';
import { parseLogTimeZone } from './log-time-zone.ts';
import { parsePorts, parseProtocols } from './ports.ts';
import { corroborateChoices } from '../jail-spec.ts';
import { parseJournalMatch, splitWords } from '../conf/words.ts';

const text = (value: string): string => value;

function bool(value: string): boolean {
  const word = value.trim().toLowerCase();
  if (['true', 'yes', 'on', '1'].includes(word)) return true;
  if (['false', 'no', 'off', '0'].includes(word)) return false;
  throw invalid('value', value, 'write true or false');
}

function count(value: string): number {
  const number = /^\s*\d{1,7}\s*$/.test(value) ? Number(value) : 0;
  if (number > 0) return number;
  throw invalid('count', value, 'write a whole number above 0, such as 5');
}

function findtime(value: string): number {
  const seconds = Math.trunc(parseDuration(value));
  if (seconds > 0) return seconds;
  throw invalid('duration', value, 'write a time above 0, such as 600 or 10m');
}

function bantime(value: string): number {
  const seconds = Math.trunc(parseDuration(value));
  if (seconds < 0) return -1;
  if (seconds > 0) return seconds;
  throw invalid('ban time', value, 'write a time such as 600 or 10m, or -1 for ever');
}

/** An optional time: empty is none. */
function limit(value: string): number | undefined {
  if (value.trim() === '') return undefined;
  const seconds = parseDuration(value);
  if (seconds > 0) return seconds;
  throw invalid('duration', value, 'write a time above 0, such as 3600 or 5w, or leave it empty');
}

/** A prefix shorter than /32 would be more than a provider; /128 is an address. */
function ipv6prefix(value: string): number {
  const bits = /^\s*\d{1,3}\s*$/.test(value) ? Number(value) : 0;
  if (bits >= 32 && bits <= 128) return bits;
  const fix = 'write a number from 32 to 128, such as 64; 128 is single addresses';
  throw invalid('IPv6 prefix length', value, fix);
}

const usednsValues: readonly UseDns[] = ['yes', 'warn', 'no', 'raw'];
const streams = ['stdout', 'stderr', 'all'] as const;

/** One of some words, in any case. */
function oneOf<Word extends string>(what: string, words: readonly Word[]): (value: string) => Word {
  return (value) => {
    const word = words.find((known) => known === value.trim().toLowerCase());
    if (word !== undefined) return word;
    throw invalid(what, value, `write ${words.slice(0, -1).join(', ')} or ${words.at(-1)}`);
  };
}

function encoding(value: string): string | undefined {
  const label = value.trim().toLowerCase().replaceAll('_', '-').replace('latin-', 'latin');
  if (label === 'auto' || label === '') return undefined;
  try {
    return new TextDecoder(label).encoding;
  } catch {
    throw invalid('encoding', value, 'write auto, utf-8, iso-8859-1, windows-1252, …');
  }
}

function backend(value: string): 'systemd' | 'polling' | 'auto' {
  const { name } = parseCall(value);
  if (name === 'systemd' || name === 'polling') return name;
  if (['auto', 'pyinotify', 'gamin'].includes(name)) return 'auto';
  throw invalid('backend', value, 'write auto, polling or systemd');
}

function datepattern(value: string): string | undefined {
  return value.trim() === '' ? undefined : value;
}

/** Every option of a jail (jail.conf(5)) that means something here, with what makes its text a value. */
export const jailOptions = {
  enabled: bool,
  filter: text,
  mode: text,
  logpath: parseLogPaths,
  backend,
  maxretry: count,
  maxmatches: count,
  findtime,
  bantime,
  'bantime.increment': bool,
  'bantime.formula': parseBanFormula,
  'bantime.multipliers': parseMultipliers,
  'bantime.factor': parseFactor,
  'bantime.maxtime': limit,
  'bantime.rndtime': limit,
  'bantime.overalljails': bool,
  usedns: oneOf('value for usedns', usednsValues),
  ignoreip: parseIgnoreIp,
  ignoreself: bool,
  ignorecommand: splitWords,
  ignorecache: parseIgnoreCache,
  failregex: text,
  ignoreregex: text,
  prefregex: text,
  maxlines: count,
  datepattern,
  journalmatch: parseJournalMatch,
  logencoding: encoding,
  stream: oneOf('stream', streams),
  logtimezone: parseLogTimeZone,
  port: parsePorts,
  protocol: parseProtocols,
  action: text,
  blocktype: parseBlockType,
  corroborate: oneOf('value for corroborate', corroborateChoices),
  ipv6prefix,
} as const satisfies Record<string, (text: string) => unknown>;

export type JailOption = keyof typeof jailOptions;
type JailOptionValues = { [Name in JailOption]: ReturnType<(typeof jailOptions)[Name]> };
export type JailOptionValue<Name extends JailOption> = JailOptionValues[Name];

const parsers: { readonly [Name in JailOption]: (text: string) => JailOptionValues[Name] } = jailOptions;

export function isJailOption(name: string): name is JailOption {
  return Object.hasOwn(jailOptions, name);
}

/** Parses the text of an option. @throws ConfigError */
export function parseJailOption<Name extends JailOption>(name: Name, value: string): JailOptionValue<Name> {
  return parsers[name](value);
}

/** Options of fail2ban that mean nothing here, and why; a value that fits `fine` needs no notice. */
export const withoutMeaning: ReadonlyMap<string, { readonly why: string; readonly fine?: RegExp }> = new Map([
  ['skip_if_nologs', { why: 'dock2ban waits for log files that do not exist yet' }],
  [
    'systemd_if_nologs',
    { why: 'dock2ban waits for log files that do not exist yet; backend = systemd reads the journal' },
  ],
  [
    'chain',
    {
      why: 'bans stand in a chain of dock2ban, which all traffic to published ports and to the host passes',
      fine: /^(?:|<known\/chain>|INPUT|FORWARD|DOCKER-USER)$/,
    },
  ],
]);

/** Options that a label may not set, and what to do instead. */
export const notByLabel: ReadonlyMap<string, string> = new Map([
  ['ignorecommand', 'a label must not run commands; set it in jail.local'],
  ['ignorecache', 'it belongs to ignorecommand; set it in jail.local'],
  [
    'action',
    'a label must not run commands; bans are made by dock2ban itself, fail2ban.port says what they close',
  ],
  ['banaction', 'bans are made by dock2ban itself; fail2ban.port says what they close'],
  ['banaction_allports', 'bans are made by dock2ban itself; port = all in jail.local closes everything'],
  ['chain', 'dock2ban uses its own chain; remove it'],
  ['protocol', 'name the protocol with the port: fail2ban.port=53/udp'],
  ['backend', 'use fail2ban.source=auto, docker, syslog, journald or file'],
  ['journalmatch', 'use fail2ban.source=journald: it reads what the container itself logs'],
  ['enabled', 'fail2ban.jail names the jails of a container; leave a jail out there to switch it off'],
]);

/** Options that a label may set. */
export const labelOptions: readonly JailOption[] = Object.keys(jailOptions)
  .filter(isJailOption)
  .filter((name) => !notByLabel.has(name));
