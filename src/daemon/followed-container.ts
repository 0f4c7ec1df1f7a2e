import type { ContainerLogs } from '../sources/container-logs.ts';
import { followContainerLog } from '../sources/docker-log.ts';
import { Wake } from '../wake.ts';
import type { EventLog } from './event-log.ts';
import type { ActiveJail } from './jail-registry.ts';
import { isMilestone } from './line-counts.ts';
import type { Matching } from './matching.ts';

/** Up to where logs were read, by the name of the log; what a position is, only its source knows. */
export interface Positions {
  get(source: string): string | undefined;
  set(source: string, position: string): void;
}

/** What all followed containers share. */
export interface ContainerFollowing {
  readonly logs: ContainerLogs;
  readonly matching: Matching;
  readonly events: EventLog;
  readonly positions: Positions;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** A container whose log is wanted. */
export interface WantedContainer {
  readonly id: string;
  readonly name: string;
  readonly jails: readonly ActiveJail[];
}

/** Told when the engine can't be reached for a container, and when it can again: one word for all of them is enough. */
export interface ReachReport {
  lost(container: string, message: string, fix: string | undefined): void;
  resumed(container: string): void;
}

/** Milliseconds that a container which has ended gets to send its last lines. */
const lastLinesWithin = 5_000;

/** A container whose log is followed, through its restarts, for the jails that it is in. */
export class FollowedContainer {
  readonly #shared: ContainerFollowing;
  readonly #reach: ReachReport;
  readonly #end = new AbortController();
  readonly #wake = new Wake();
  readonly #done: Promise<void>;
  #wanted: WantedContainer;
  /** Runs while it leaves. */
  #leaving: NodeJS.Timeout | undefined;
  /** How the loss was said that is still to be taken back. */
  #lost: 'engine' | 'container' | undefined;
  #cutLines = 0;
  #hasEnded = false;

  constructor(wanted: WantedContainer, shared: ContainerFollowing, reach: ReachReport) {
    this.#wanted = wanted;
    this.#shared = shared;
    this.#reach = reach;
    this.#done = this.#follow();
  }

  /** Nothing more will come: the container was removed, or has left. */
  get hasEnded(): boolean {
    return this.#hasEnded || this.#end.signal.aborted;
  }

  /** It runs, for these jails. */
  want(wanted: WantedContainer): void {
    clearTimeout(this.#leaving);
    this.#leaving = undefined;
    this.#wanted = wanted;
    // It may have been started just now.
    this.#wake.set();
  }

  /** It runs no longer, or no jail wants it any more: what it logged until now is still read. */
  leave(): void {
    if (this.#leaving) return;
    this.#leaving = setTimeout(() => this.#end.abort(), lastLinesWithin);
    this.#wake.set();
  }

  /** Resolves when nothing is read any more. */
  async close(): Promise<void> {
    clearTimeout(this.#leaving);
    this.#end.abort();
    await this.#done;
  }

  async #follow(): Promise<void> {
    const { logs, matching, events, positions, clock } = this.#shared;
    const { id } = this.#wanted;
    const key = `docker:${id}`;
    const after = positions.get(key);
    const findtime = Math.max(0, ...this.#wanted.jails.map(({ jail }) => jail.spec.findtime));
    for await (const update of followContainerLog(id, {
      logs,
      signal: this.#end.signal,
      ...(after !== undefined && { after }),
      since: clock() - findtime * 1000,
      wake: this.#wake,
      now: clock,
    })) {
      // Somebody else may follow it again by now.
      if (this.#end.signal.aborted) break;
      const { name, jails } = this.#wanted;
      switch (update.type) {
        case 'lines':
          for (const line of update.lines) {
            for (const jail of jails) matching.match(jail, line, name, update.live);
          }
          positions.set(key, update.position);
          if (update.cutLines > 0) this.#reportCut(update.cutLines);
          break;
        case 'lost':
          this.#reportLost(update.error.code, update.error.message, update.error.fix);
          break;
        case 'resumed':
          this.#reportResumed();
          break;
        case 'position-invalid':
          events.positionInvalid(`docker:${name}`, update.position);
          break;
      }
    }
    this.#hasEnded = true;
    if (this.#lost === 'engine') this.#reach.resumed(id);
    this.#lost = undefined;
  }

  #reportLost(code: string, message: string, fix: string | undefined): void {
    this.#lost = code === 'docker-unreachable' ? 'engine' : 'container';
    if (this.#lost === 'engine') this.#reach.lost(this.#wanted.id, message, fix);
    else this.#shared.events.sourceLost(`docker:${this.#wanted.name}`, message, fix);
  }

  #reportResumed(): void {
    if (this.#lost === 'engine') this.#reach.resumed(this.#wanted.id);
    else this.#shared.events.sourceResumed(`docker:${this.#wanted.name}`);
    this.#lost = undefined;
  }

  #reportCut(count: number): void {
    const before = this.#cutLines;
    this.#cutLines += count;
    if (isMilestone(before, this.#cutLines))
      this.#shared.events.linesCut(`docker:${this.#wanted.name}`, this.#cutLines);
  }
}
