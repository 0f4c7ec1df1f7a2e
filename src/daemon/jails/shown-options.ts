import type { JailSpec, SourceSpec } from '../../config/jail-spec.ts';
import type { JailOptions } from '../../control/api.ts';
import { zoneText } from '../../config/options/log-time-zone.ts';

/**
 * A jail's options, as an operator sees them.
 * @param logsOf the log files that a source stands for now, or what it is called
 */
export function jailOptionsOf(
  spec: JailSpec,
  logsOf: (source: SourceSpec) => readonly string[],
): JailOptions {
  const { filter, ignoreCache: cache } = spec;
  return {
    bantime: spec.bantime,
    findtime: spec.findtime,
    maxretry: spec.maxretry,
    maxmatches: spec.maxmatches ?? spec.maxretry,
    maxlines: filter.maxlines,
    usedns: filter.usedns,
    stream: filter.stream ?? 'all',
    ignoreip: ignoresOf(spec),
    ignoreself: spec.ignoreself,
    ignorecommand: spec.ignoreCommand?.join(' ') ?? null,
    ignorecache: cache ? `key="${cache.key}", max-count=${cache.maxCount}, max-time=${cache.maxTime}` : null,
    failregex: filter.failregex,
    ignoreregex: filter.ignoreregex,
    prefregex: filter.prefregex ?? null,
    datepattern: filter.datepattern ?? null,
    logtimezone: filter.logTimeZone === undefined ? null : zoneText(filter.logTimeZone),
    logencoding: spec.logEncoding ?? 'utf-8',
    logpath: [...new Set(spec.sources.flatMap(logsOf).filter((name) => name.startsWith('/')))],
    journalmatch: spec.sources.flatMap((source) =>
      source.kind === 'journald' ? source.matches.map((group) => group.join(' ')) : [],
    ),
    increment: spec.incrementTexts ?? {},
    blocktype: spec.blocktype,
    ipv6prefix: spec.ipv6prefix,
  };
}

/** All of a jail's `ignoreip`, as it would be written. */
export function ignoresOf({ ignoreip, ignoreNames = [], ignoreFiles = [] }: JailSpec): readonly string[] {
  return [...ignoreip, ...ignoreNames, ...ignoreFiles.map((path) => `file:${path}`)];
}
