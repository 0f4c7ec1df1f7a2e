import { tailFile } from '../sources/file-tail.ts';
import { watchGlob } from '../sources/watch-glob.ts';
import type { EventLog } from './event-log.ts';

export interface PatternOptions {
  readonly pattern: string;
  /** Where to begin in files that are there at the start. */
  readonly from: 'start' | 'end';
}

/** Takes whole lines, each with its newline; they are valid during the call. `live`: logged now, not before the start. */
export type TakeLines = (bytes: Buffer, live: boolean) => void;

interface Tail {
  readonly end: AbortController;
  readonly done: Promise<void>;
}

/** A pattern of log files that is followed: every file that matches it, now and later. */
export class FollowedPattern {
  readonly #options: PatternOptions;
  readonly #take: TakeLines;
  readonly #events: EventLog;
  readonly #end = new AbortController();
  readonly #tails = new Map<string, Tail>();
  readonly #done: Promise<void>;

  constructor(options: PatternOptions, take: TakeLines, events: EventLog) {
    this.#options = options;
    this.#take = take;
    this.#events = events;
    this.#done = this.#follow();
  }

  /** The files that match now; a path without wildcards also if there is no such file. */
  get files(): readonly string[] {
    return [...this.#tails.keys()];
  }

  /** Resolves when every file is closed. */
  async close(): Promise<void> {
    this.#end.abort();
    await this.#done;
    await Promise.all([...this.#tails.values()].map(({ done }) => done));
  }

  async #follow(): Promise<void> {
    let { from } = this.#options;
    for await (const paths of watchGlob(this.#options.pattern, this.#end.signal)) {
      for (const [path, { end }] of this.#tails) {
        if (paths.has(path)) continue;
        end.abort();
        this.#tails.delete(path);
      }
      for (const path of paths) if (!this.#tails.has(path)) this.#tails.set(path, this.#start(path, from));
      // A file that comes later is new from its first line.
      from = 'start';
    }
  }

  #start(path: string, from: 'start' | 'end'): Tail {
    const end = new AbortController();
    return { end, done: this.#tail(path, from, AbortSignal.any([this.#end.signal, end.signal])) };
  }

  async #tail(path: string, from: 'start' | 'end', signal: AbortSignal): Promise<void> {
    for await (const update of tailFile(path, { signal, from })) {
      switch (update.type) {
        case 'lines':
          this.#take(update.bytes, update.live);
          break;
        case 'lost':
          this.#events.sourceLost(path, update.error.message, update.error.fix);
          break;
        case 'resumed':
          this.#events.sourceResumed(path);
          break;
      }
    }
  }
}
