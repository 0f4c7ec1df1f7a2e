import { place, type Located } from './conf-file.ts';
import { ConfigError } from './config-error.ts';
import type { ConfigSet } from './config-set.ts';

/** Options from elsewhere (a label, a filter's arguments) that stand above those of the files. Taken as they are. */
export type Overrides = ReadonlyMap<string, string>;

const deepest = 10;
/** Characters that one value may grow to; the longest of fail2ban's own has 5,000. */
export const longestValue = 1 << 20;

/**
 * The value of an option with every `%(name)s`, `%(section/name)s`, `%(default/name)s`, `%(known/name)s` and `%%`
 * resolved; undefined if nothing sets it.
 *
 * @throws ConfigError if it refers to what isn't there, or to itself
 */
export function interpolated(
  set: ConfigSet,
  section: string,
  option: string,
  overrides: Overrides = new Map(),
): string | undefined {
  const override = overrides.get(option);
  if (override !== undefined) return override;
  const raw = rawOption(set, section, option);
  return raw && resolve({ set, section, option, overrides, raw }, raw.value, 1);
}

/** As `interpolated`, for a name that may be `section/option`, `default/option` or `known/option` too. */
export function interpolatedFrom(
  set: ConfigSet,
  section: string,
  name: string,
  overrides: Overrides,
): string | undefined {
  const [, from, option] = /^([\w-]+)\/([^\s>]+)$/.exec(name) ?? [];
  if (from !== undefined && option !== undefined) {
    const value = fromSection(set, section, from, option.toLowerCase());
    if (value !== undefined) return value;
  }
  return interpolated(set, section, name.toLowerCase(), overrides);
}

function fromSection(set: ConfigSet, section: string, from: string, option: string): string | undefined {
  switch (from.toLowerCase()) {
    case 'known': {
      const known = set.known.get(section);
      const raw =
        (known && (known.get(option) ?? set.defaults.get(option))) ?? rawOption(set, section, option);
      return raw && resolve({ set, section, option, overrides: new Map(), raw }, raw.value, 1);
    }
    case 'default': {
      const raw = set.defaults.get(option);
      return raw && resolve({ set, section: '', option, overrides: new Map(), raw }, raw.value, 1);
    }
    default:
      return set.sections.has(from) ? interpolated(set, from, option) : undefined;
  }
}

/** The option as the files have it: of the section, else of `[DEFAULT]`, else of what is built in. */
export function rawOption(set: ConfigSet, section: string, option: string): Located | undefined {
  return (
    set.sections.get(section)?.get(option) ??
    set.defaults.get(option) ??
    set.fallbacks.get(section)?.get(option) ??
    set.fallbacks.get('DEFAULT')?.get(option)
  );
}

interface Lookup {
  readonly set: ConfigSet;
  readonly section: string;
  readonly option: string;
  readonly overrides: Overrides;
  readonly raw: Located;
}

function resolve(lookup: Lookup, text: string, depth: number): string {
  if (depth > deepest) {
    throw failure(
      lookup,
      `its value refers to other values more than ${deepest} deep`,
      'an option that refers to itself must not',
    );
  }
  let result = '';
  let at = 0;
  for (;;) {
    const percent = text.indexOf('%', at);
    if (percent < 0) return result + text.slice(at);
    result += text.slice(at, percent);
    if (text[percent + 1] === '%') {
      result += '%';
      at = percent + 2;
      continue;
    }
    const reference = /^%\(([^)]+)\)s/.exec(text.slice(percent, percent + 200));
    if (!reference) {
      const found = text.slice(percent, percent + 20);
      throw failure(
        lookup,
        `its value has a lone % in ${JSON.stringify(found)}`,
        'write %% for a percent sign, %(name)s to refer to an option',
      );
    }
    result += referred(lookup, reference[1]!, depth);
    if (result.length > longestValue)
      throw failure(lookup, 'its value grows without end', 'refer to fewer values');
    at = percent + reference[0].length;
  }
}

function referred(lookup: Lookup, name: string, depth: number): string {
  const { set, section, overrides } = lookup;
  const option = name.toLowerCase();
  if (option === '__name__') return section;
  const override = overrides.get(option);
  if (override !== undefined) return override;
  const raw = rawOption(set, section, option) ?? rawReference(set, section, name);
  if (raw) return resolve(lookup, raw.value, depth + 1);
  throw failure(
    lookup,
    `it refers to %(${name})s, which nothing defines`,
    `set ${option} in [${section || 'DEFAULT'}] or [DEFAULT], or correct the name`,
  );
}

/** What `%(section/option)s` refers to; where the section lacks the option, `[DEFAULT]` may have it. */
function rawReference(set: ConfigSet, section: string, name: string): Located | undefined {
  const [, from, given] = /^([\w-]+)\/(.+)$/.exec(name) ?? [];
  if (from === undefined || given === undefined) return undefined;
  const option = given.toLowerCase();
  if (from.toLowerCase() === 'default') return set.defaults.get(option);
  const named =
    from.toLowerCase() === 'known' ? (set.known.get(section) ?? new Map()) : set.sections.get(from);
  return named && (named.get(option) ?? set.defaults.get(option));
}

function failure({ raw, option, section }: Lookup, message: string, fix: string): ConfigError {
  const what = section === '' ? option : `${option} of [${section}]`;
  return new ConfigError(`${what}: ${message}`, fix, place(raw));
}
