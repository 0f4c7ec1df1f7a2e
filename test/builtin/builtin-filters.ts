import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfigTree } from '../../src/config/conf/load-config-tree.ts';
import { resolveJails } from '../../src/config/resolve.ts';
import type { ConfigProblem, JailSpec } from '../../src/config/jail-spec.ts';
import { messageOf } from '../../src/errors.ts';
import { compileFilter } from '../../src/filter/filter.ts';
import type { FilterSpec } from '../../src/filter/spec.ts';
import { container } from '../config/container.ts';

export const samplesDir = fileURLToPath(new URL('samples', import.meta.url));

const builtinDir = fileURLToPath(new URL('../../filters', import.meta.url));
/** The built-in files and none of the user's. */
export const builtinTree = await loadConfigTree({ builtinDir, configDir: '/nonexistent' });

/** Every built-in filter; what is only there to be included doesn't count. */
export const filterNames = [...builtinTree.builtin.keys()]
  .filter((path) => path.startsWith('filter.d/') && !path.startsWith('filter.d/dock2ban-'))
  .map((path) => basename(path, '.conf'))
  .toSorted();

/** Every built-in jail. */
export const jailNames = [...builtinTree.builtin]
  .filter(([path]) => path.startsWith('jail.d/'))
  .flatMap(([, file]) => [...file.sections.keys()])
  .filter((name) => name !== 'DEFAULT')
  .toSorted();

/** What a container's labels come to, with the built-in files and none of the user's. */
export function resolveLabels(labels: Record<string, string>): {
  jails: readonly JailSpec[];
  problems: readonly ConfigProblem[];
} {
  return resolveJails({
    tree: builtinTree,
    containers: [container('web', labels)],
    compileFilter: (spec) => {
      try {
        compileFilter(spec);
        return undefined;
      } catch (error) {
        return messageOf(error);
      }
    },
  });
}

/** The modes in which a filter differs. */
export function modesOf(name: string): string[] {
  const text = (mode: string): string => JSON.stringify(builtinFilter(name, new Map([['mode', mode]])));
  return text('normal') === text('aggressive') ? ['normal'] : ['normal', 'aggressive'];
}

/** A built-in filter as a jail would use it with `filter = name[options]`. */
export function builtinFilter(name: string, options: ReadonlyMap<string, string>): FilterSpec {
  const given = [...options].map(([option, value]) => `${option}="${value}"`).join(', ');
  const { jails, problems } = resolveLabels({
    'fail2ban.jail': 'sample',
    'fail2ban.filter': given === '' ? name : `${name}[${given}]`,
  });
  const [jail] = jails;
  if (!jail || problems.length > 0) throw new Error(`filter ${name}: ${JSON.stringify(problems)}`);
  return jail.filter;
}
