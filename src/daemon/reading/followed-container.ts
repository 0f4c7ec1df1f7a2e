import type { Dock2banError } from '../../errors.ts';
import type { ContainerLogs } from '../../sources/docker/container-logs.ts';
import { type DockerLogUpdate, followContainerLog } from '../../sources/docker/follow-container.ts';
import { takenUpTo } from '../../sources/docker/progress.ts';
import type { LogLine } from '../../sources/log-line.ts';
import { Wake } from '../../async/wake.ts';
import type { ActiveJail } from '../../jail/jail-registry.ts';
import type { ReaderParts } from './reader-parts.ts';
import { SourceBook, type SourceCounts } from './source-book.ts';

/** What all followed containers share. */
export interface ContainerFollowing extends ReaderParts {
  readonly logs: ContainerLogs;
}

/** A container whose log is wanted. */
export interface WantedContainer {
  readonly id: string;
  readonly name: string;
  readonly jails: readonly ActiveJail[];
  /** Until when its lines were taken from elsewhere, epoch milliseconds; undefined if none were. */
  readonly takenUpTo: number | undefined;
}

/** Told when the engine can't be reached for a container, and when it can again, so that one event covers all of them. */
export interface ReachReport {
  lost(container: string, message: string, fix: string | undefined): void;
  resumed(container: string): void;
}

/** Milliseconds that a stopped container gets to send its last lines. */
const lastLinesWithin = 5_000;

/** A container whose log is followed, through its restarts, for the jails that it is in. */
export class FollowedContainer {
  readonly #shared: ContainerFollowing;
  readonly #reach: ReachReport;
  readonly #end = new AbortController();
  readonly #wake = new Wake();
  readonly #done: Promise<void>;
  #wanted: WantedContainer;
  /** Set while it waits for the last lines. */
  #leaving: NodeJS.Timeout | undefined;
  /** Which loss was reported and not yet followed by `resumed`. */
  #lost: 'engine' | 'container' | undefined;
  readonly #book: SourceBook;
  #hasEnded = false;

  constructor(wanted: WantedContainer, shared: ContainerFollowing, reach: ReachReport) {
    this.#wanted = wanted;
    this.#shared = shared;
    this.#reach = reach;
    const source = {
      name: `docker:${wanted.name}`,
      key: `docker:${wanted.id}`,
      unit: 'lines',
      onLost: (error: Dock2banError) => this.#reportLost(error),
      onResumed: () => this.#reportResumed(),
    } as const;
    this.#book = new SourceBook(source, shared);
    this.#done = this.#follow();
  }

  /** Nothing more will come: the container was removed, or has left. */
  get hasEnded(): boolean {
    return this.#hasEnded || this.#end.signal.aborted;
  }

  /** Counts of its lines since it is followed. */
  get counts(): SourceCounts {
    return this.#book.counts;
  }

  /** The name of its log in events and counts. */
  get source(): string {
    return `docker:${this.#wanted.name}`;
  }

  /** Refreshes the stored positions, so that the age limit doesn't drop those of quiet logs. */
  keepPositions(): void {
    this.#book.keepPosition();
  }

  /** It is running, and these jails want it. */
  want(wanted: WantedContainer): void {
    clearTimeout(this.#leaving);
    this.#leaving = undefined;
    this.#wanted = wanted;
    // It may have been started just now.
    this.#wake.set();
  }

  /** It has stopped, or no jail wants it any more: what it logged until now is still read. */
  leave(): void {
    if (this.#leaving) return;
    this.#leaving = setTimeout(() => this.#end.abort(), lastLinesWithin);
    this.#wake.set();
  }

  /** Whether its log can't be read at present. */
  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** Resolves when nothing is read any more. */
  async close(): Promise<void> {
    clearTimeout(this.#leaving);
    this.#end.abort();
    await this.#done;
  }

  async #follow(): Promise<void> {
    const { logs, clock } = this.#shared;
    const { id } = this.#wanted;
    for await (const update of followContainerLog(id, {
      logs,
      signal: this.#end.signal,
      ...this.#begin(),
      wake: this.#wake,
      now: clock,
    })) {
      // Somebody else may be following it by now.
      if (this.#end.signal.aborted) break;
      this.#take(update);
    }
    this.#hasEnded = true;
    if (this.#lost === 'engine') this.#reach.resumed(id);
    this.#lost = undefined;
  }

  /** Continues behind what was read here or taken from elsewhere; the first time it goes back by findtime. */
  #begin(): { readonly since: number; readonly after?: string } {
    const { clock } = this.#shared;
    const { jails, takenUpTo: elsewhere = -Infinity } = this.#wanted;
    const findtime = Math.max(0, ...jails.map(({ jail }) => jail.spec.findtime));
    // One millisecond on: the line of that time was taken.
    const since = Math.max(clock() - findtime * 1000, Math.floor(elsewhere) + 1);
    const after = this.#book.position;
    const isLatest = after !== undefined && (takenUpTo(after) ?? Infinity) >= elsewhere;
    return isLatest ? { since, after } : { since };
  }

  #take(update: DockerLogUpdate): void {
    if (update.type === 'lines') this.#match(update.lines, update.live);
    this.#book.enter(update);
  }

  #match(lines: readonly LogLine[], live: boolean): void {
    const { id, name, jails } = this.#wanted;
    const { pieces, matching } = this.#shared;
    const fresh = lines.filter(({ text, time = 0 }) => !pieces.wasTaken(id, text, time));
    const matched = jails.reduce((sum, jail) => sum + matching.match(jail, fresh, name, live), 0);
    this.#book.countLines(lines.length, matched);
  }

  #reportLost({ code, message, fix }: Dock2banError): void {
    if (code === 'docker-log-unsupported') this.#shared.pieces.hasNoCopy(this.#wanted.id);
    this.#lost = code === 'docker-unreachable' ? 'engine' : 'container';
    if (this.#lost === 'engine') this.#reach.lost(this.#wanted.id, message, fix);
    else this.#shared.events.sourceLost(this.source, message, fix);
  }

  #reportResumed(): void {
    if (this.#lost === 'engine') this.#reach.resumed(this.#wanted.id);
    else this.#shared.events.sourceResumed(this.source);
    this.#lost = undefined;
  }
}
