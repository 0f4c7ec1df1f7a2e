import type { Dock2banError } from '../errors.ts';
import { nameOf } from './container-snapshot.ts';
import type { ListedContainer, Listing } from './engine/engine-answers.ts';
import type { EngineProblem } from './snapshot.ts';

/** Each is an event. */
const most = 50;

export function few(problems: readonly EngineProblem[]): readonly EngineProblem[] {
  const more = problems.length - most;
  if (more <= 0) return problems;
  const message = `there are ${more} more problems of this kind`;
  return [...problems.slice(0, most), { where: 'docker', message, fix: 'see to the others first' }];
}

/** Why something isn't answered, or how much of it can't be read. @param command asks the same on the host */
export function answerProblems(
  where: string,
  command: string,
  {
    error,
    value,
  }: { readonly error?: Dock2banError | undefined; readonly value?: Listing<unknown> | undefined },
): EngineProblem[] {
  const problems: EngineProblem[] = [];
  if (error) {
    const message = `the engine doesn't tell: ${error.message}; what was known stays`;
    problems.push({ where, message, fix: error.fix ?? `see whether ${command} works on the host` });
  }
  if (value && value.unreadable > 0) {
    const [entries, are] =
      value.unreadable === 1 ? ['one entry', 'is'] : [`${value.unreadable} entries`, 'are'];
    const message = `${entries} of the engine's list can't be read, and ${are} passed over`;
    problems.push({ where, message, fix: `compare with ${command} on the host` });
  }
  return problems;
}

export function containerProblem(entry: ListedContainer, message: string): EngineProblem {
  const container = nameOf(entry);
  return {
    where: `container ${container}`,
    message,
    fix: `look at it: docker inspect ${entry.Id.slice(0, 12)}; if that fails or hangs as well, restart the container or the Docker service`,
    container,
  };
}

export function notInspected(entry: ListedContainer, error: Error, then: string): EngineProblem {
  return containerProblem(entry, `it can't be inspected: ${error.message}; ${then}`);
}
