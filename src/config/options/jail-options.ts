import { z } from 'zod';
import type { UseDns } from '../../filter/spec.ts';
import { parseBanFormula, parseFactor, parseMultipliers } from './bantime-increment.ts';
import { parseBlockType } from './block-type.ts';
import { ConfigError } from '../conf/config-error.ts';
import { parseDuration } from './duration.ts';
import { parseCall } from './filter-call.ts';
import { parseIgnoreCache } from './ignore-cache.ts';
import { parseIgnoreIp } from './ignore-ip.ts';
import { parseLogPaths } from './log-paths.ts';
import { parseLogTimeZone } from './log-time-zone.ts';
import { parsePorts, parseProtocols } from './ports.ts';
import { parseJournalMatch, splitWords } from '../conf/words.ts';

/** A schema over a parser that throws ConfigError; its `fix` travels in the issue's params. */
function parsed<T>(parse: (text: string) => T): z.ZodType<T, string> {
  return z.string().transform((text, context) => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      context.addIssue({ code: 'custom', message: error.message, params: { fix: error.fix } });
      return z.NEVER;
    }
  });
}

function invalid(text: string, what: string, fix: string): never {
  throw new ConfigError(`${JSON.stringify(text)} is no ${what}`, fix);
}

const text = z.string();

const bool = parsed((value) => {
  const word = value.trim().toLowerCase();
  if (['true', 'yes', 'on', '1'].includes(word)) return true;
  if (['false', 'no', 'off', '0'].includes(word)) return false;
  return invalid(value, 'yes or no', 'write true or false');
});

const count = parsed((value) => {
  const number = /^\s*\d{1,7}\s*$/.test(value) ? Number(value) : 0;
  return number > 0 ? number : invalid(value, 'whole number above 0', 'write a number such as 5');
});

const findtime = parsed((value) => {
  const seconds = Math.trunc(parseDuration(value));
  return seconds > 0 ? seconds : invalid(value, 'time span above 0', 'write a time such as 600 or 10m');
});

const bantime = parsed((value) => {
  const seconds = Math.trunc(parseDuration(value));
  if (seconds < 0) return -1;
  return seconds > 0
    ? seconds
    : invalid(value, 'time to ban for', 'write a time such as 600 or 10m, or -1 for ever');
});

/** An optional time: empty is none. */
const limit = parsed((value) => {
  if (value.trim() === '') return undefined;
  const seconds = parseDuration(value);
  return seconds > 0
    ? seconds
    : invalid(value, 'time above 0', 'write a time such as 3600 or 5w, or leave it empty');
});

/** A prefix shorter than /32 would be more than a provider; /128 is an address. */
const ipv6prefix = parsed((value) => {
  const bits = /^\s*\d{1,3}\s*$/.test(value) ? Number(value) : 0;
  return bits >= 32 && bits <= 128
    ? bits
    : invalid(
        value,
        'IPv6 prefix length',
        'write a number from 32 to 128, such as 64; 128 is single addresses',
      );
});

const usednsValues: readonly UseDns[] = ['yes', 'warn', 'no', 'raw'];

const usedns = parsed((value) => {
  const word = value.trim().toLowerCase();
  return (
    usednsValues.find((known) => known === word) ??
    invalid(value, 'way to use DNS', 'write yes, warn, no or raw')
  );
});

const streams = ['stdout', 'stderr', 'all'] as const;

const stream = parsed((value) => {
  const word = value.trim().toLowerCase();
  return streams.find((known) => known === word) ?? invalid(value, 'stream', `write ${streams.join(', ')}`);
});

const encoding = parsed((value) => {
  const label = value.trim().toLowerCase().replaceAll('_', '-').replace('latin-', 'latin');
  if (label === 'auto' || label === '') return undefined;
  try {
    return new TextDecoder(label).encoding;
  } catch {
    return invalid(value, 'encoding', 'write auto, utf-8, iso-8859-1, windows-1252, …');
  }
});

const backend = parsed((value) => {
  const { name } = parseCall(value);
  if (name === 'systemd') return 'systemd';
  if (name === 'polling') return 'polling';
  if (['auto', 'pyinotify', 'gamin'].includes(name)) return 'auto';
  return invalid(value, 'backend', 'write auto, polling or systemd');
});

const datePattern = parsed((value) => (value.trim() === '' ? undefined : value));

/** Every option of a jail (jail.conf(5)) that means something here, with what makes its text a value. */
export const jailOptions = {
  enabled: bool,
  filter: text,
  mode: text,
  logpath: parsed(parseLogPaths),
  backend,
  maxretry: count,
  maxmatches: count,
  findtime,
  bantime,
  'bantime.increment': bool,
  'bantime.formula': parsed(parseBanFormula),
  'bantime.multipliers': parsed(parseMultipliers),
  'bantime.factor': parsed(parseFactor),
  'bantime.maxtime': limit,
  'bantime.rndtime': limit,
  'bantime.overalljails': bool,
  usedns,
  ignoreip: parsed(parseIgnoreIp),
  ignoreself: bool,
  ignorecommand: parsed(splitWords),
  ignorecache: parsed(parseIgnoreCache),
  failregex: text,
  ignoreregex: text,
  prefregex: text,
  maxlines: count,
  datepattern: datePattern,
  journalmatch: parsed(parseJournalMatch),
  logencoding: encoding,
  stream,
  logtimezone: parsed(parseLogTimeZone),
  port: parsed(parsePorts),
  protocol: parsed(parseProtocols),
  action: text,
  blocktype: parsed(parseBlockType),
  ipv6prefix,
} as const satisfies Record<string, z.ZodType<unknown, string>>;

export type JailOption = keyof typeof jailOptions;
type JailOptionValues = { [Name in JailOption]: z.output<(typeof jailOptions)[Name]> };
export type JailOptionValue<Name extends JailOption> = JailOptionValues[Name];

const schemas: { readonly [Name in JailOption]: z.ZodType<JailOptionValues[Name], string> } = jailOptions;

export function isJailOption(name: string): name is JailOption {
  return Object.hasOwn(jailOptions, name);
}

/**
 * Parses the text of an option.
 *
 * @throws ConfigError
 */
export function parseJailOption<Name extends JailOption>(name: Name, value: string): JailOptionValue<Name> {
  const result = schemas[name].safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const fix = issue?.code === 'custom' ? issue.params?.['fix'] : undefined;
  throw new ConfigError(issue?.message ?? 'not usable', typeof fix === 'string' ? fix : 'correct it');
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
