import { parseConfFile } from '../../config/conf/conf-file.ts';
import type { ConfigTree } from '../../config/conf/config-tree.ts';
import type { CompileFilter } from '../../config/jails/checked-filters.ts';
import { jailDefinitions } from '../../config/jails/jail-definitions.ts';
import type { ConfigProblem, JailSpec } from '../../config/jail-spec.ts';
import { defaultPolicy } from '../../config/labels/label-policy.ts';
import { resolveJails } from '../../config/resolve.ts';
import type { ContainerSnapshot, NetworkSnapshot } from '../../docker/snapshot.ts';
import { expandGlob } from '../../sources/file/glob.ts';
import { madeForDocker } from './docker-chain.ts';
import { findingOf, type CheckFinding } from './finding.ts';
import { rememberingCheck } from '../../filter/filter-fault.ts';
import { dormant, jailValues } from './jail-values.ts';
import { misspelt } from './misspelt.ts';

/** Resolves all jails, those that are not enabled too: what is wrong with these is only a notice. */
export async function checkJails(
  tree: ConfigTree,
  containers: readonly ContainerSnapshot[],
  networks: readonly NetworkSnapshot[],
  policy = defaultPolicy,
): Promise<{ count: number; findings: CheckFinding[] }> {
  const compileFilter = rememberingCheck();
  const { jails, problems } = resolveJails({ tree, containers, networks, policy, compileFilter });
  const values = jailValues(tree, new Set(jails.map(({ name }) => name)));
  const known = new Set([...problems, ...values].map(keyOf));
  const disabled = disabledProblems(
    tree,
    jails.map(({ name }) => name),
    compileFilter,
  ).filter((problem) => !known.has(keyOf(problem)));
  return {
    count: jails.length,
    findings: [
      ...problems.map(findingOf),
      ...values,
      ...misspelt(tree),
      ...madeForDocker(tree, jails),
      ...(await missingLogs(jails)),
      ...disabled.map(dormantFinding),
    ],
  };
}

function keyOf({ where, message }: Pick<CheckFinding, 'where' | 'message'>): string {
  return `${where}\n${message}`;
}

function dormantFinding(problem: ConfigProblem): CheckFinding {
  const where = problem.where.startsWith(enabler) ? `jail ${problem.jail}` : problem.where;
  return dormant({ ...findingOf(problem), where });
}

const enabler = 'jail.d/~enabled.local';

/** What would be wrong if all jails were enabled. */
function disabledProblems(
  tree: ConfigTree,
  enabled: readonly string[],
  compileFilter: CompileFilter,
): ConfigProblem[] {
  const names = jailDefinitions(tree).names.filter((name) => !enabled.includes(name));
  const text = names.map((name) => `[${name}]\nenabled = true\n`).join('');
  const user = new Map([...tree.user, [enabler, parseConfFile(text, enabler)]]);
  const { problems } = resolveJails({
    tree: { ...tree, user },
    containers: [],
    compileFilter,
  });
  return problems.filter(
    ({ jail, severity }) => severity === 'warn' && jail !== undefined && names.includes(jail),
  );
}

/** A log that isn't there is waited for; a mistyped path is waited for in vain. */
async function missingLogs(jails: readonly JailSpec[]): Promise<CheckFinding[]> {
  const findings: CheckFinding[] = [];
  for (const { name, sources } of jails) {
    for (const source of sources) {
      if (source.kind !== 'file' || (await matchesFile(source.pattern))) continue;
      findings.push({
        severity: 'notice',
        where: `jail ${name}`,
        message: `there is no ${source.pattern} yet`,
        fix: 'it is waited for; correct logpath if it is not what you mean',
      });
    }
  }
  return findings;
}

async function matchesFile(pattern: string): Promise<boolean> {
  return (await expandGlob(pattern)).files.size > 0;
}
