import type { ConfFile, Located, Section } from './conf-file.ts';

/**
 * Several configuration files read one over the other, as fail2ban reads them. What an option of a section was before
 * the last file that sets it is kept for `%(known/option)s`.
 */
export interface ConfigSet {
  readonly defaults: Section;
  readonly sections: ReadonlyMap<string, Section>;
  /** By section. */
  readonly known: ReadonlyMap<string, Section>;
  /** Built-in values below `defaults`, by section (`DEFAULT` for all): they hold where the user says nothing. */
  readonly fallbacks: ReadonlyMap<string, Section>;
}

/**
 * Merges files, the first at the bottom. The options of `[Section?condition]` become `option?condition` of
 * `[Section]`.
 */
export function mergeFiles(files: readonly ConfFile[]): ConfigSet {
  const defaults = new Map<string, Located>();
  const sections = new Map<string, Map<string, Located>>();
  const known = new Map<string, Map<string, Located>>();
  for (const file of files) {
    for (const [name, value] of file.defaults) defaults.set(name, value);
    for (const [header, options] of file.sections) {
      const [, section = header, condition = ''] = /^(\w+)(\?.+)$/.exec(header) ?? [];
      const merged = sections.get(section);
      if (!merged) {
        sections.set(section, conditional(options, condition));
        continue;
      }
      const before = known.get(section) ?? new Map<string, Located>();
      known.set(section, before);
      for (const [name, value] of conditional(options, condition)) {
        const previous = merged.get(name);
        if (previous) before.set(name, previous);
        merged.set(name, value);
      }
    }
  }
  return { defaults, sections, known, fallbacks: new Map() };
}

function conditional(options: Section, condition: string): Map<string, Located> {
  return new Map([...options].map(([name, value]) => [name + condition, value]));
}
