import type { ConfigProblem } from '../../config/jail-spec.ts';
import type { ResolvedJails } from '../../config/resolve.ts';

/**
 * What is wrong with a new configuration so that the old one has to stay: it would stop a jail that runs or change it by mistake,
 * or it couldn't be read as a whole. What was wrong before, or concerns jails that don't run, stands in nobody's way.
 *
 * @param before its jails are those that run
 * @param only the one jail whose changes are to be taken; undefined: all
 */
export function reloadFaults(before: ResolvedJails, after: ResolvedJails, only?: string): ConfigProblem[] {
  const running = new Set(before.jails.map(({ name }) => name));
  const stays = new Set(after.jails.map(({ name }) => name));
  const fresh = new Set(freshProblems(before, after));
  return after.problems.filter((problem) => {
    const { jail, severity } = problem;
    if (jail === undefined) return fresh.has(problem) && severity === 'warn';
    if (!running.has(jail) || (only !== undefined && jail !== only)) return false;
    return !stays.has(jail) || (fresh.has(problem) && severity === 'warn');
  });
}

/** New problems. */
export function freshProblems(before: ResolvedJails, after: ResolvedJails): ConfigProblem[] {
  const known = new Set(before.problems.map((problem) => keyOf(problem)));
  return after.problems.filter((problem) => !known.has(keyOf(problem)));
}

/** Lines move when others are put in above them. */
function keyOf({ jail, where, message }: ConfigProblem): string {
  const places = [where.replace(/:\d+$/, ''), message.replaceAll(/(?<=\.(?:conf|local)):\d+/g, '')];
  return JSON.stringify([jail, ...places]);
}
