import { place, type ConfFile } from '../../config/conf/conf-file.ts';
import type { ConfigTree } from '../../config/conf/config-tree.ts';
import { jailOptions, withoutMeaning } from '../../config/options/jail-options.ts';
import { nearest } from '../../config/options/nearest.ts';
import type { CheckFinding } from './finding.ts';

/**
 * Options of jails that nothing uses and whose name is nearly that of one that counts: `maxrety`. Names of one's own are
 * allowed there, for `%(name)s`, so that this can't be more than a notice.
 */
export function misspelt(tree: ConfigTree): CheckFinding[] {
  const options = [...Object.keys(jailOptions), ...withoutMeaning.keys()];
  const files = [...tree.user].filter(([path]) => /^jail(?:\.|\.d\/)/.test(path)).map(([, file]) => file);
  const used = references([...tree.user.values()]);
  return files.flatMap(({ defaults, sections }) =>
    [defaults, ...sections.values()].flatMap((section) =>
      [...section].flatMap(([name, located]): CheckFinding[] => {
        if (options.includes(name) || used.has(name) || name.startsWith('action_')) return [];
        const meant = nearest(name, options);
        if (meant === undefined) return [];
        const message = `nothing uses the option ${name}`;
        return [{ severity: 'notice', where: place(located), message, fix: `did you mean ${meant}?` }];
      }),
    ),
  );
}

/** The names in `%(name)s`, `%(section/name)s` and `<name>` of all values. */
function references(files: readonly ConfFile[]): Set<string> {
  const names = new Set<string>();
  for (const { defaults, sections } of files) {
    for (const section of [defaults, ...sections.values()]) {
      for (const { value } of section.values()) {
        for (const [, inner, tag] of value.matchAll(/%\((?:[^()]*\/)?([^()/]+)\)s|<(?:[^<>]*\/)?([^<>/]+)>/g))
          names.add((inner ?? tag ?? '').toLowerCase());
      }
    }
  }
  return names;
}
