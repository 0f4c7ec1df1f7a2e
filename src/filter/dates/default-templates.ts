import { parsePattern } from './parse-pattern.ts';
import { lineBegins, type DateTemplate } from './template.ts';

/** The forms that are tried without a `datepattern`: the same as fail2ban's (1.0), in its order. */
const patterns: readonly string[] = [
  // 2026-11-22T13:44:53.123+01:00 and 2026/11/22 13:44:53
  String.raw`%ExY(?P<_sep>[-/.])%m(?P=_sep)%d(?:T|  ?)%H:%M:%S(?:[.,]%f)?(?:\s*%z)?`,
  // Sun Nov 22 13:44:53.011 2026, day and year optional; Sun Nov 22 2026 13:44:53
  String.raw`(?:%a )?%b %d %k:%M:%S(?:\.%f)?(?: %ExY)?`,
  String.raw`(?:%a )?%b %d %ExY %k:%M:%S(?:\.%f)?`,
  // 22/11/2026 13:44:53, 22-11-26 13:44:53
  String.raw`%d(?P<_sep>[-/])%m(?P=_sep)(?:%ExY|%Exy) %k:%M:%S`,
  // 22/Nov/2026:13:44:53 +0100, 22-Nov-2026 13:44:53.252
  String.raw`%d(?P<_sep>[-/])%b(?P=_sep)%ExY[ :]?%H:%M:%S(?:\.%f)?(?: %z)?`,
  // 11/22/2026:13:44:53, 11-22-2026 13:44:53.252
  '%m/%d/%ExY:%H:%M:%S',
  String.raw`%m-%d-%ExY %k:%M:%S(?:\.%f)?`,
  'EPOCH',
  '{^LN-BEG}%H:%M:%S',
  // <11/22/26@13:44:53>
  '^<%m/%d/%Exy@%H:%M:%S>',
  // 261122 13:44:53
  '%Exy%Exm%Exd  ?%H:%M:%S',
  // Nov 22, 2026 1:44:53 PM
  '%b %d, %ExY %I:%M:%S %p',
  // Nov-22-26 13:44:53
  '^%b-%d-%Exy %k:%M:%S',
  // 20261122T134453
  String.raw`%ExY%Exm%Exd(?:T|  ?)%ExH%ExM%ExS(?:[.,]%f)?(?:\s*%z)?`,
  // CET Nov 22 13:44:53; +01:00 Nov 22 13:44:53.011 2026
  String.raw`(?:%Z )?(?:%a )?%b %d %k:%M:%S(?:\.%f)?(?: %ExY)?`,
  String.raw`(?:%z )?(?:%a )?%b %d %k:%M:%S(?:\.%f)?(?: %ExY)?`,
  'TAI64N',
];

/** The default templates proper. */
export function plainDefaults(thisYear: number): DateTemplate[] {
  return patterns.map((pattern) => parsePattern(pattern, thisYear));
}

/** The default templates, those at the begin of a line first and preferred. */
export function defaultTemplates(thisYear: number): DateTemplate[] {
  const plain = plainDefaults(thisYear);
  const leading = plain.flatMap((template) => {
    if (template.name.startsWith(lineBegins) || template.name.startsWith('^')) return [];
    return [{ ...parsePattern(lineBegins + (template.pattern ?? template.name), thisYear), weight: 100 }];
  });
  return [...leading, ...plain];
}
