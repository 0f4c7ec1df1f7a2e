import { place } from '../../config/conf/conf-file.ts';
import type { ConfigTree } from '../../config/conf/config-tree.ts';
import { jailDefinitions } from '../../config/jails/jail-definitions.ts';
import type { JailSpec } from '../../config/jail-spec.ts';
import { labelPlace } from '../../config/labels/label.ts';
import { hasFloatingAddress } from '../../filter/floating-address.ts';
import type { Containers } from './jails.ts';
import type { Finding } from './finding.ts';

/** Expressions of jails themselves, in files and labels, in which whoever writes a part of the line can bring an address. */
export function floatingAddresses(
  tree: ConfigTree,
  jails: readonly JailSpec[],
  containers: Containers,
): Finding[] {
  const { sections } = jailDefinitions(tree).set;
  return jails.flatMap(({ name, filter, containers: bound }): Finding[] => {
    const { failregex, prefregex, maxlines, builtIn = false } = filter;
    if (builtIn || prefregex !== undefined || maxlines > 1 || !failregex.some(hasFloatingAddress)) return [];
    const section = sections.get(name)?.get('failregex');
    const where = section ? place(section) : placeOfLabel(name, containers, bound);
    return where === undefined
      ? []
      : [
          {
            severity: 'notice',
            where,
            message: `failregex of jail ${name} takes any text in front of the address: a client may bring somebody else's`,
            fix: 'begin it with ^ and spell the line out up to the address, or behind it up to $',
          },
        ];
  });
}

function placeOfLabel(jail: string, containers: Containers, bound: readonly string[]): string | undefined {
  for (const container of containers.filter(({ name }) => bound.includes(name))) {
    for (const name of [`fail2ban.jail.${jail}.failregex`, 'fail2ban.failregex']) {
      const value = container.labels[name];
      if (value !== undefined) return labelPlace(container, { name, value });
    }
  }
  return undefined;
}
