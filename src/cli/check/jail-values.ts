import type { ConfigTree } from '../../config/conf/config-tree.ts';
import { filterOptionNames } from '../../config/jails/filter-options.ts';
import { jailDefinitions } from '../../config/jails/jail-definitions.ts';
import { isJailOption, jailOptions } from '../../config/options/jail-options.ts';
import { JailReader } from '../../config/jails/jail-reader.ts';
import { findingOf, type CheckFinding } from './finding.ts';

/**
 * The options of all jails whose text is no value, whether the jail is to run or not: it may wait for a container's
 * label. What may refer to the filter (`%(known/failregex)s`) is checked where the jail is resolved.
 * @param running the jails that are to run
 */
export function jailValues(tree: ConfigTree, running: ReadonlySet<string>): CheckFinding[] {
  const definitions = jailDefinitions(tree);
  const ofFilter: readonly string[] = filterOptionNames;
  const options = Object.keys(jailOptions).filter((name) => !ofFilter.includes(name));
  return definitions.names.flatMap((name) =>
    options.filter(isJailOption).flatMap((option) => {
      const reader = new JailReader(definitions, name, new Map());
      reader.value(option);
      const findings = reader.problems.map(findingOf);
      return option === foreign && !running.has(name) ? findings.map(dormant) : findings;
    }),
  );
}

/** fail2ban hands it to the actions, and knows jails that turn its meaning round: pass2allow-ftp, which Debian ships disabled. */
const foreign = 'blocktype';

/** What is wrong with a jail that isn't to run. */
export function dormant({ where, message, fix }: CheckFinding): CheckFinding {
  return { severity: 'notice', where, message: `${message} (the jail is not enabled)`, fix };
}
