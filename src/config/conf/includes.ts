import { posix } from 'node:path';
import { place, type ConfFile, type Located } from './conf-file.ts';
import { fileAt, type ConfigTree } from './config-tree.ts';
import type { ConfigProblem } from '../jail-spec.ts';

/** Files in the order in which they are merged, and what was wrong on the way. */
export interface Expansion {
  readonly files: readonly ConfFile[];
  readonly problems: readonly ConfigProblem[];
}

const deepest = 20;
const mostFiles = 1000;

/**
 * Follows `[INCLUDES] before/after` of the files at `paths`, recursively; each file is followed by its `.local`. Files
 * that aren't there are passed over, with a problem if they are no `.local`; an include that leads back to its own
 * file is a problem and is passed over too.
 */
export function expandIncludes(tree: ConfigTree, paths: readonly string[]): Expansion {
  const files: ConfFile[] = [];
  const problems: ConfigProblem[] = [];
  const visit = (path: string, chain: readonly string[]): void => {
    const file = fileAt(tree, path);
    if (!file || files.length >= mostFiles) return;
    const own = [...chain, path];
    const follow = (name: 'before' | 'after'): void => {
      const include = file.sections.get('INCLUDES')?.get(name);
      for (const target of include ? includeTargets(tree.configDir, path, include.value) : []) {
        if (own.includes(target) || own.length >= deepest) problems.push(cycle(include!, target, own));
        else if (!fileAt(tree, target) && !target.endsWith('.local'))
          problems.push(missing(include!, target));
        else for (const next of withLocal(tree, [target])) if (!own.includes(next)) visit(next, own);
      }
    };
    follow('before');
    files.push(file);
    follow('after');
  };
  for (const path of withLocal(tree, paths)) visit(path, []);
  return { files, problems: [...problems, ...new Set(files.flatMap((file) => file.problems))] };
}

/** The paths that an include names, one a line, relative to the file that has it. */
export function includeTargets(configDir: string, from: string, value: string): string[] {
  return value
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const path = posix.isAbsolute(line) ? posix.normalize(line) : posix.join(posix.dirname(from), line);
      const absolute = posix.isAbsolute(path) ? path : posix.join(configDir, path);
      return absolute.startsWith(`${configDir}/`) ? absolute.slice(configDir.length + 1) : absolute;
    });
}

function withLocal(tree: ConfigTree, paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const local = path.replace(/\.[^./]*$/, '') + '.local';
    return paths.includes(local) || !fileAt(tree, local) ? [path] : [path, local];
  });
}

function cycle(include: Located, target: string, chain: readonly string[]): ConfigProblem {
  return {
    severity: 'warn',
    where: place(include),
    message: `including ${target} leads in a circle: ${[...chain, target].join(' → ')}`,
    fix: `remove ${target} from [INCLUDES]`,
  };
}

function missing(include: Located, target: string): ConfigProblem {
  return {
    severity: 'warn',
    where: place(include),
    message: `includes ${target}, which does not exist`,
    fix: 'correct the path (it is relative to the file that includes it) or remove it',
  };
}
