import type { ConfigTree } from '../../config/config-tree.ts';
import { filterOptionNames } from '../../config/filter-options.ts';
import { jailDefinitions } from '../../config/jail-definitions.ts';
import { isJailOption, jailOptions } from '../../config/jail-options.ts';
import { JailReader } from '../../config/jail-reader.ts';
import { findingOf, type Finding } from './finding.ts';

/**
 * The options of all jails whose text is no value, whether the jail is to run or not: it may wait for a container's
 * label. What may refer to the filter (`%(known/failregex)s`) is checked where the jail is resolved.
 */
export function jailValues(tree: ConfigTree): Finding[] {
  const definitions = jailDefinitions(tree);
  const ofFilter: readonly string[] = filterOptionNames;
  const options = Object.keys(jailOptions).filter((name) => !ofFilter.includes(name));
  return definitions.names.flatMap((name) => {
    const reader = new JailReader(definitions, name, new Map());
    for (const option of options) if (isJailOption(option)) reader.value(option);
    return reader.problems.map(findingOf);
  });
}
