import { parsePrefix } from '../../net/address.ts';
import { prefixCover } from '../../net/prefix-cover.ts';
import { ConfigError } from '../conf/config-error.ts';
import { parseDuration } from '../options/duration.ts';
import { parseJailOption, type JailOption } from '../options/jail-options.ts';
import type { Label } from './label.ts';

const day = 86_400;

/** The most that labels may ask for. The operator's files have no such limits. */
export const labelLimits = {
  /** Expressions of a jail, and characters of each. */
  expressions: 100,
  expressionLength: 4096,
  /** Expressions of all jails that a container defines, and of all containers. */
  ofContainer: 500,
  ofAll: 5000,
  /** Seconds. */
  findtime: 366 * day,
  time: 3660 * day,
  counts: { maxretry: 1000, maxmatches: 1000, maxlines: 100 },
  multipliers: 100,
  ignored: 1000,
  /** Names are looked up again and again. */
  ignoredNames: 20,
  /** Bits of the widest that may be ignored in all: an IPv4 network, an IPv6 one outside of what is private. */
  logPaths: 20,
  ignoredBits: { ip4: 7, ip6: 16 },
} as const;

type Labels = ReadonlyMap<JailOption, Label>;

const checks: { readonly [Name in JailOption]?: (value: string) => void } = {
  failregex: checkExpressions,
  ignoreregex: checkExpressions,
  prefregex: checkExpressions,
  datepattern: checkExpressions,
  maxretry: checkCount('maxretry'),
  maxmatches: checkCount('maxmatches'),
  maxlines: checkCount('maxlines'),
  findtime: (value) => checkTime(value, labelLimits.findtime, '366d'),
  bantime: (value) => checkTime(value, labelLimits.time, '10y; -1 is for ever'),
  'bantime.maxtime': (value) => checkTime(value, labelLimits.time, '10y'),
  'bantime.rndtime': (value) => checkTime(value, labelLimits.time, '10y'),
  'bantime.multipliers': (value) =>
    atMost(parseJailOption('bantime.multipliers', value).length, labelLimits.multipliers, 'multipliers'),
  ignoreip: checkIgnored,
};

/** Whether a label asks for more than a label may. @throws ConfigError with the limit */
export function checkLimit(option: JailOption, { value }: Label): void {
  checks[option]?.(value);
}

/** How many expressions a jail has by its labels. */
export function expressionCount(labels: Labels): number {
  return (['failregex', 'ignoreregex', 'prefregex'] as const).reduce(
    (sum, option) => sum + linesOf(labels.get(option)?.value ?? '').length,
    0,
  );
}

/** Times by which labels would ban for longer than `maxtime`, which the operator's `[DEFAULT]` sets for all. */
export function longerThan(labels: Labels, maxtime: number): readonly [JailOption, Label][] {
  return [...labels].filter(([option, { value }]) => {
    if (option === 'bantime') {
      const seconds = parseJailOption(option, value);
      return seconds < 0 || seconds > maxtime;
    }
    return option === 'bantime.maxtime' || option === 'bantime.rndtime'
      ? (parseJailOption(option, value) ?? (option === 'bantime.maxtime' ? Infinity : 0)) > maxtime
      : false;
  });
}

function checkExpressions(value: string): void {
  const lines = linesOf(value);
  atMost(lines.length, labelLimits.expressions, 'expressions');
  const longest = Math.max(0, ...lines.map((line) => line.length));
  if (longest > labelLimits.expressionLength) {
    throw tooMuch(`an expression has ${longest} characters`, `${labelLimits.expressionLength} characters`);
  }
}

function checkCount(option: keyof typeof labelLimits.counts): (value: string) => void {
  const most = labelLimits.counts[option];
  return (value) => {
    if (parseJailOption(option, value) > most) throw tooMuch(`${value.trim()} is too many`, `${most}`);
  };
}

function checkTime(value: string, most: number, limit: string): void {
  if (value.trim() !== '' && parseDuration(value) > most) {
    throw tooMuch(`${JSON.stringify(value.slice(0, 60))} is too long`, limit);
  }
}

function checkIgnored(value: string): void {
  const { prefixes, names } = parseJailOption('ignoreip', value);
  atMost(prefixes.length, labelLimits.ignored, 'addresses');
  atMost(names.length, labelLimits.ignoredNames, 'names');
  const cover = prefixCover(prefixes);
  const share = (isWanted: (prefix: string) => boolean): number =>
    cover.filter(isWanted).reduce((sum, prefix) => sum + 2 ** -(parsePrefix(prefix)?.bits ?? 0), 0);
  const isIp6 = (prefix: string): boolean => prefix.includes(':');
  const { ip4, ip6 } = labelLimits.ignoredBits;
  if (share((prefix) => !isIp6(prefix)) > 2 ** -ip4 || share((p) => isIp6(p) && !isPrivate(p)) > 2 ** -ip6) {
    throw tooMuch(
      'it ignores too large a part of the Internet',
      `IPv4 networks of /${ip4} and IPv6 networks of /${ip6} in all`,
    );
  }
}

/** fc00::/7 and fe80::/10. */
function isPrivate(prefix: string): boolean {
  return /^f(?:[cd]|e[89ab])/.test(prefix) && (parsePrefix(prefix)?.bits ?? 0) >= 7;
}

function atMost(count: number, most: number, what: string): void {
  if (count > most) throw tooMuch(`it has ${count} ${what}`, `${most}`);
}

function tooMuch(what: string, limit: string): ConfigError {
  return new ConfigError(
    `${what} for a label`,
    `keep it to ${limit}, or set it in jail.local, which has no such limit`,
  );
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line.trim() !== '');
}
