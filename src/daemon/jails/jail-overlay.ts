import { defaultFormula, parseBanFormula } from '../../config/options/bantime-increment.ts';
import { ConfigError } from '../../config/conf/config-error.ts';
import { parseIgnoreIp } from '../../config/options/ignore-ip.ts';
import { incrementOptions } from '../../config/jails/jail-assembly.ts';
import { parseJailOption, type JailOption } from '../../config/options/jail-options.ts';
import type { JailSpec } from '../../config/jail-spec.ts';
import type { FilterSpec } from '../../filter/spec.ts';
import { changed, type ListChange, noChange } from './list-change.ts';

/** What the operator has changed in a running jail, to be laid over whatever the configuration and the labels say. */
export interface JailOverlay {
  /** Texts, found good. */
  readonly set: ReadonlyMap<JailOption, string>;
  readonly ignoreip: ListChange;
  readonly failregex: ListChange;
  readonly ignoreregex: ListChange;
}

export const noOverlay: JailOverlay = {
  set: new Map(),
  ignoreip: noChange,
  failregex: noChange,
  ignoreregex: noChange,
};

/** The jail with what the operator has changed. */
export function overlaid(spec: JailSpec, overlay: JailOverlay): JailSpec {
  if (overlay === noOverlay) return spec;
  const { maxmatches, ignoreCommand, ignoreCache, logEncoding, ...rest } = spec;
  const {
    ignoreNames: _names,
    ignoreFiles: _files,
    increment: _increment,
    incrementTexts: _texts,
    ...kept
  } = rest;
  const given = <Name extends JailOption, T>(name: Name, otherwise: T) => valueOf(overlay, name, otherwise);
  const ignored = parseIgnoreIp(changed(ignoresOf(spec), overlay.ignoreip).join(' '));
  const command = given('ignorecommand', ignoreCommand ?? []);
  const cache = given('ignorecache', ignoreCache);
  const encoding = given('logencoding', logEncoding);
  const matches = given('maxmatches', maxmatches);
  return {
    ...kept,
    filter: overlaidFilter(spec.filter, overlay),
    bantime: given('bantime', spec.bantime),
    findtime: given('findtime', spec.findtime),
    maxretry: given('maxretry', spec.maxretry),
    ignoreself: given('ignoreself', spec.ignoreself),
    blocktype: given('blocktype', spec.blocktype),
    ipv6prefix: given('ipv6prefix', spec.ipv6prefix),
    ignoreip: ignored.prefixes,
    ...(matches !== undefined && { maxmatches: matches }),
    ...(ignored.names.length > 0 && { ignoreNames: ignored.names }),
    ...(ignored.files.length > 0 && { ignoreFiles: ignored.files }),
    ...(command.length > 0 && { ignoreCommand: command }),
    ...(cache && { ignoreCache: cache }),
    ...(encoding !== undefined && { logEncoding: encoding }),
    ...overlaidIncrement(spec, overlay),
  };
}

/** Whether the overlay makes another filter of a jail's. */
export function changesFilter({ set, failregex, ignoreregex }: JailOverlay): boolean {
  const lists = [failregex, ignoreregex];
  return (
    lists.some(({ added, removed }) => added.length + removed.length > 0) ||
    (['datepattern', 'prefregex', 'maxlines', 'usedns', 'logtimezone'] as const).some((name) => set.has(name))
  );
}

/** All of a jail's `ignoreip`, as it would be written. */
export function ignoresOf({ ignoreip, ignoreNames = [], ignoreFiles = [] }: JailSpec): readonly string[] {
  return [...ignoreip, ...ignoreNames, ...ignoreFiles.map((path) => `file:${path}`)];
}

function overlaidFilter(filter: FilterSpec, overlay: JailOverlay): FilterSpec {
  if (!changesFilter(overlay)) return filter;
  const { builtIn: _builtIn, origin: _origin, ...expressions } = filter;
  const timeZone = valueOf(overlay, 'logtimezone', filter.logTimeZone);
  const prefregex = valueOf(overlay, 'prefregex', filter.prefregex);
  return {
    ...expressions,
    failregex: changed(filter.failregex, overlay.failregex),
    ignoreregex: changed(filter.ignoreregex, overlay.ignoreregex),
    prefregex: prefregex?.trim() === '' ? undefined : prefregex,
    datepattern: valueOf(overlay, 'datepattern', filter.datepattern),
    maxlines: valueOf(overlay, 'maxlines', filter.maxlines),
    usedns: valueOf(overlay, 'usedns', filter.usedns),
    ...(timeZone !== undefined && { logTimeZone: timeZone }),
  };
}

function overlaidIncrement(
  { increment, incrementTexts }: JailSpec,
  { set }: JailOverlay,
): Pick<JailSpec, 'increment' | 'incrementTexts'> {
  const texts = new Map(Object.entries(incrementTexts ?? {}));
  for (const option of incrementOptions) if (set.has(option)) texts.set(option, set.get(option)!);
  const value = <Name extends (typeof incrementOptions)[number]>(name: Name) => {
    const text = texts.get(name);
    return text === undefined ? undefined : usable(() => parseJailOption(name, text));
  };
  const shown = texts.size > 0 ? { incrementTexts: Object.fromEntries(texts) } : {};
  if (!incrementOptions.some((option) => set.has(option)))
    return { ...shown, ...(increment && { increment }) };
  if (!value('bantime.increment')) return shown;
  return {
    ...shown,
    increment: {
      formula: value('bantime.formula') ?? parseBanFormula(defaultFormula),
      multipliers: value('bantime.multipliers') ?? [],
      factor: value('bantime.factor') ?? 1,
      maxtime: value('bantime.maxtime'),
      rndtime: value('bantime.rndtime') ?? 0,
      overalljails: value('bantime.overalljails') ?? false,
    },
  };
}

function valueOf<Name extends JailOption, T>({ set }: JailOverlay, name: Name, otherwise: T) {
  const text = set.get(name);
  return text === undefined ? otherwise : parseJailOption(name, text);
}

/** What a file says may be no value; it has been reported where it was read. */
function usable<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return undefined;
  }
}
