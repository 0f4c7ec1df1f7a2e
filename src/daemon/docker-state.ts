import type { DockerSnapshot, EngineProblem } from '../docker/snapshot.ts';
import type { DockerUpdate } from '../docker/watch.ts';
import type { EventLog } from './events/event-log.ts';
import { ProblemLog } from './events/problem-log.ts';

/** What is known of Docker, and whether it can be reached. */
export class DockerState {
  readonly #events: EventLog;
  readonly #problems: ProblemLog<EngineProblem>;
  #snapshot: DockerSnapshot | undefined;
  /** Why it can't be reached. */
  #trouble: string | undefined;
  #isConnected = false;

  constructor(events: EventLog) {
    this.#events = events;
    this.#problems = new ProblemLog((problem) => events.dockerProblem(problem));
  }

  /** As it was seen last; undefined: not yet. */
  get snapshot(): DockerSnapshot | undefined {
    return this.#snapshot;
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** What is wrong with it, for people. */
  get troubles(): string[] {
    return [...(this.#trouble === undefined ? [] : [this.#trouble]), ...this.#problems.standing];
  }

  take(update: DockerUpdate): void {
    this.#isConnected = update.type !== 'lost';
    if (update.type === 'lost') {
      this.#trouble = update.error.message;
      this.#events.dockerLost(update.error.message, update.error.fix);
      return;
    }
    const { snapshot } = update;
    if (this.#snapshot && this.#trouble !== undefined) this.#events.dockerResumed(snapshot.engine.version);
    this.#snapshot = snapshot;
    this.#trouble = undefined;
    this.#problems.report(snapshot.problems ?? []);
  }
}
