import { place } from '../../config/conf/conf-file.ts';
import { ConfigError } from '../../config/conf/config-error.ts';
import { filterNames, type ConfigTree } from '../../config/conf/config-tree.ts';
import { filterOptions, readFilter, type FilterDefinition } from '../../config/jails/filter-options.ts';
import { includeTargets } from '../../config/conf/includes.ts';
import { Dock2banError } from '../../errors.ts';
import { compileFilter } from '../../filter/filter.ts';
import type { FilterSpec } from '../../filter/spec.ts';
import { filterSpecOf } from '../filter-spec-of.ts';
import { findingOf, type CheckFinding } from './finding.ts';

/**
 * Reads, resolves and compiles every filter file, used or not; what others include need not stand for itself, and is
 * checked with them.
 */
export function checkFilters(tree: ConfigTree): { count: number; findings: CheckFinding[] } {
  const parts = includedFiles(tree);
  const names = filterNames(tree).filter((name) => !parts.has(`filter.d/${name}.conf`));
  return { count: names.length, findings: names.flatMap((name) => checkFilter(tree, name)) };
}

function includedFiles(tree: ConfigTree): Set<string> {
  const targets = [...tree.builtin, ...tree.user].flatMap(([path, { sections }]) =>
    ['before', 'after'].flatMap((name) =>
      includeTargets(tree.configDir, path, sections.get('INCLUDES')?.get(name)?.value ?? ''),
    ),
  );
  return new Set(targets);
}

function checkFilter(tree: ConfigTree, name: string): CheckFinding[] {
  let definition: FilterDefinition | undefined;
  try {
    definition = readFilter(tree, name);
    const findings = definition.problems.map(findingOf);
    const spec = filterSpecOf(name, filterOptions(definition, new Map(), new Map()));
    const error = spec.failregex.length === 0 ? undefined : compileError(spec);
    return error ? [...findings, broken(definition, error)] : findings;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const where = error.where ?? definition?.file ?? `filter ${name}`;
    return [
      {
        severity: 'error',
        where,
        message: `filter ${name}: ${error.message}`,
        fix: error.fix ?? 'correct it',
      },
    ];
  }
}

function compileError(spec: FilterSpec): Dock2banError | undefined {
  try {
    compileFilter(spec);
    return undefined;
  } catch (error) {
    if (error instanceof Dock2banError) return error;
    throw error;
  }
}

/** The messages of the compiler begin with the option that they are about. */
function broken({ set, file }: FilterDefinition, { message, fix }: Dock2banError): CheckFinding {
  const option = /^[a-z]+/.exec(message)?.[0] ?? '';
  const located = set.sections.get('Definition')?.get(option) ?? set.sections.get('Init')?.get(option);
  return { severity: 'error', where: located ? place(located) : file, message, fix: fix ?? 'correct it' };
}
