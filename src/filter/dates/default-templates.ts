import { parsePattern } from './parse-pattern.ts';
import { lineBegins, type DateTemplate } from './template.ts';

const time = '%H:%M:%S';
/** The hour may have one digit. */
const clock = '%k:%M:%S';
const fraction = String.raw`(?:\.%f)?`;
const isoTail = String.raw`(?:[.,]%f)?(?:\s*%z)?`;
const dateTimeGap = '(?:T|  ?)';
const weekday = '(?:%a )?';
const yearBehind = '(?: %ExY)?';

/** Three fields between the same separator, twice. */
function separated(separator: string, ...[first, second, third]: [string, string, string]): string {
  return `${first}(?P<_sep>${separator})${second}(?P=_sep)${third}`;
}

/** The forms that are tried without a `datepattern`: those that fail2ban (1.0) tries, in its order. */
const patterns: readonly string[] = [
  // 2026-11-22T13:44:53.123+01:00 and 2026/11/22 13:44:53
  `${separated('[-/.]', '%ExY', '%m', '%d')}${dateTimeGap}${time}${isoTail}`,
  // Sun Nov 22 13:44:53.011 2026, day and year optional; Sun Nov 22 2026 13:44:53
  `${weekday}%b %d ${clock}${fraction}${yearBehind}`,
  `${weekday}%b %d %ExY ${clock}${fraction}`,
  // 22/11/2026 13:44:53, 22-11-26 13:44:53
  `${separated('[-/]', '%d', '%m', '(?:%ExY|%Exy)')} ${clock}`,
  // 22/Nov/2026:13:44:53 +0100, 22-Nov-2026 13:44:53.252
  `${separated('[-/]', '%d', '%b', '%ExY')}[ :]?${time}${fraction}(?: %z)?`,
  // 11/22/2026:13:44:53, 11-22-2026 13:44:53.252
  `%m/%d/%ExY:${time}`,
  `%m-%d-%ExY ${clock}${fraction}`,
  'EPOCH',
  `{^LN-BEG}${time}`,
  // <11/22/26@13:44:53>
  `^<%m/%d/%Exy@${time}>`,
  // 261122 13:44:53
  `%Exy%Exm%Exd  ?${time}`,
  // Nov 22, 2026 1:44:53 PM
  '%b %d, %ExY %I:%M:%S %p',
  // Nov-22-26 13:44:53
  `^%b-%d-%Exy ${clock}`,
  // 20261122T134453
  `%ExY%Exm%Exd${dateTimeGap}%ExH%ExM%ExS${isoTail}`,
  // CET Nov 22 13:44:53; +01:00 Nov 22 13:44:53.011 2026
  `(?:%Z )?${weekday}%b %d ${clock}${fraction}${yearBehind}`,
  `(?:%z )?${weekday}%b %d ${clock}${fraction}${yearBehind}`,
  'TAI64N',
];

/** The default templates proper. */
export function plainDefaults(thisYear: number): DateTemplate[] {
  return patterns.map((pattern) => parsePattern(pattern, thisYear, false));
}

/** The default templates, those at the begin of a line first and preferred. */
export function defaultTemplates(thisYear: number): DateTemplate[] {
  const plain = plainDefaults(thisYear);
  const leading = plain.flatMap((template) => {
    if (template.name.startsWith(lineBegins) || template.name.startsWith('^')) return [];
    const marked = parsePattern(lineBegins + (template.pattern ?? template.name), thisYear, false);
    // Of what they may take, a word at most comes behind the first place where they may end.
    return [{ ...marked, nearSighted: true, weight: 100 }];
  });
  return [...leading, ...plain];
}
