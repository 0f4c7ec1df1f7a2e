import type { Dock2banError } from '../errors.ts';
import { nameOf } from './container-snapshot.ts';
import type { ListedContainer, Listing } from './engine/engine-answers.ts';
import type { EngineProblem } from './snapshot.ts';

/** Each is an event. */
const most = 50;

export function few(problems: readonly EngineProblem[]): readonly EngineProblem[] {
  const more = problems.length - most;
  if (more <= 0) return problems;
  const message = `${more} more problems of this kind`;
  return [...problems.slice(0, most), { where: 'docker', message, fix: 'fix the others first' }];
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
    const message = `can't be read from the engine: ${error.message}; keeping what was known`;
    problems.push({ where, message, fix: error.fix ?? `see whether ${command} works on the host` });
  }
  if (value && value.unreadable > 0) {
    const entries = value.unreadable === 1 ? 'entry' : 'entries';
    const message = `${value.unreadable} invalid ${entries} in the engine's list, skipped`;
    problems.push({ where, message, fix: `compare with ${command} on the host` });
  }
  return problems;
}

export function containerProblem(entry: ListedContainer, message: string): EngineProblem {
  const container = nameOf(entry);
  return {
    where: `container ${container}`,
    message,
    fix: `try docker inspect ${entry.Id.slice(0, 12)}; if that fails or hangs as well, restart the container or the Docker service`,
    container,
  };
}

export function notInspected(entry: ListedContainer, error: Error, then: string): EngineProblem {
  return containerProblem(entry, `it can't be inspected: ${error.message}; ${then}`);
}
