import type { Failure } from '../filter/failure.ts';
import type { Jail } from '../jail/jail.ts';
import type { LogLine } from '../sources/log-line.ts';
import type { Decision, Detector } from './detector.ts';
import type { Enforcer } from './enforcer.ts';
import type { EventLog } from './event-log.ts';
import type { ActiveJail } from './jail-registry.ts';

/** The way of one line, from a jail's source to the kernel. */
export class Matching {
  readonly #detector: Detector;
  readonly #enforcer: Enforcer;
  readonly #events: EventLog;

  constructor(detector: Detector, enforcer: Enforcer, events: EventLog) {
    this.#detector = detector;
    this.#enforcer = enforcer;
    this.#events = events;
  }

  /**
   * Matches a line and sets off the bans that follow from it.
   * @param container the container that logged it, where that is known
   * @param live false for what was logged before the start
   */
  match(jail: ActiveJail, line: LogLine, container: string | undefined, live: boolean): void {
    for (const decision of this.#detector.detect(jail, line, container, live)) void this.#carryOut(decision);
  }

  /** Takes the failures of a line whose DNS name has been resolved meanwhile. */
  takeResolved(jail: Jail, failures: readonly Failure[]): void {
    for (const decision of this.#detector.judge(jail, failures, undefined)) void this.#carryOut(decision);
  }

  /** The line isn't held up: while the kernel works, reading goes on. */
  async #carryOut({ ban, failures, renewed }: Decision): Promise<void> {
    const refused = await this.#enforcer.ban([ban]);
    if (refused.length === 0) this.#events.ban(ban, failures, renewed);
  }
}
