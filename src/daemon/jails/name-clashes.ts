import type { ConfigProblem, JailSpec } from '../../config/jail-spec.ts';
import { jailSet } from '../../firewall/bans/set-names.ts';

/**
 * The jails whose sets in the kernel have names of their own: one that would share another's would ban for it.
 * @param running names of jails that may have bans, which keep their sets
 */
export function withoutClashes(
  specs: readonly JailSpec[],
  running: Iterable<string>,
  nameOf: (jail: string) => string = (jail) => jailSet(jail, 4),
): { readonly jails: readonly JailSpec[]; readonly problems: readonly ConfigProblem[] } {
  const owners = new Map(Array.from(running, (jail) => [nameOf(jail), jail]));
  const jails: JailSpec[] = [];
  const problems: ConfigProblem[] = [];
  for (const spec of specs) {
    const { name } = spec;
    const set = nameOf(name);
    const owner = owners.get(set) ?? name;
    owners.set(set, owner);
    if (owner === name) jails.push(spec);
    else {
      problems.push({
        severity: 'warn',
        where: `jail ${name}`,
        message: `is not started: its set in the kernel would be ${set}, which is that of jail ${owner}`,
        fix: 'give one of them another name',
        jail: name,
      });
    }
  }
  return { jails, problems };
}
