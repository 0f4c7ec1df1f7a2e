import type { ConfigProblem } from '../config/jail-spec.ts';
import type { EventLog } from './event-log.ts';

/** Says each problem once, and again only after it was gone. */
export class ProblemLog {
  readonly #events: EventLog;
  #standing: ReadonlySet<string> = new Set();

  constructor(events: EventLog) {
    this.#events = events;
  }

  /** @param problems all that there are now */
  report(problems: readonly ConfigProblem[]): void {
    const now = new Set<string>();
    for (const problem of problems) {
      const key = `${problem.where}: ${problem.message}`;
      if (!this.#standing.has(key) && !now.has(key)) this.#events.configProblem(problem);
      now.add(key);
    }
    this.#standing = now;
  }
}
