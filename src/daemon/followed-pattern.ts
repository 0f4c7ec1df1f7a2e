import { tailFile } from '../sources/file-tail.ts';
import { watchGlob } from '../sources/watch-glob.ts';
import type { TailUpdate } from '../sources/tail-update.ts';
import type { EventLog } from './event-log.ts';
import type { Positions } from './followed-container.ts';
import { isMilestone, type LineCounts, newTally, type Tally } from './line-counts.ts';

export interface PatternOptions {
  readonly pattern: string;
  /** What tells these readers from others of the same files, for ever. */
  readonly id: string;
  /** Where to begin in files that are there at the start, and were not read by an earlier run. */
  readonly from: 'start' | 'end';
  /** Look again and again instead of waiting for the kernel's notice. */
  readonly polling: boolean;
}

/** What a pattern's files are followed with. */
export interface PatternFollowing {
  /** Called with whole lines, each with its newline; what it does is done when it returns. */
  readonly take: TakeLines;
  readonly events: EventLog;
  readonly positions: Positions | undefined;
}

/**
 * Takes whole lines, each with its newline; they are valid during the call. `live`: logged now, not before the start.
 * @returns how many failures were in them
 */
export type TakeLines = (bytes: Buffer, live: boolean) => number;

interface Tail {
  readonly end: AbortController;
  readonly done: Promise<void>;
  readonly counts: Tally;
}

/** A pattern of log files that is followed: every file that matches it, now and later. */
export class FollowedPattern {
  readonly #options: PatternOptions;
  readonly #with: PatternFollowing;
  readonly #end = new AbortController();
  readonly #tails = new Map<string, Tail>();
  readonly #done: Promise<void>;

  constructor(options: PatternOptions, following: PatternFollowing) {
    this.#options = options;
    this.#with = following;
    this.#done = this.#follow();
  }

  /** The files that match now; a path without wildcards also if there is no such file. */
  get files(): readonly string[] {
    return [...this.#tails.keys()];
  }

  /** By path, of the files that match now. */
  get counts(): ReadonlyMap<string, LineCounts> {
    return new Map([...this.#tails].map(([path, { counts }]) => [path, counts]));
  }

  /** Lets those who read as `id` says go on where this reading has come to. */
  handOver(id: string): void {
    const { positions } = this.#with;
    for (const path of this.#tails.keys()) {
      const position = positions?.get(keyOf(path, this.#options.id));
      if (position !== undefined) positions?.set(keyOf(path, id), position);
    }
  }

  /** Takes no more lines; resolves when every file is closed. */
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
    const counts = newTally('bytes');
    const signal = AbortSignal.any([this.#end.signal, end.signal]);
    return { end, counts, done: this.#tail(path, from, signal, counts) };
  }

  async #tail(path: string, from: 'start' | 'end', signal: AbortSignal, counts: Tally): Promise<void> {
    const { positions } = this.#with;
    const { polling } = this.#options;
    const key = keyOf(path, this.#options.id);
    const after = positions?.get(key);
    const options = { signal, from, polling, ...(after !== undefined && { after }) };
    for await (const update of tailFile(path, options)) {
      // Somebody else may go on from the position by now.
      if (signal.aborted) break;
      // In one go: no position is stored without what was counted on the way to it, and the other way round.
      if (update.type === 'lines') {
        counts.bytes = (counts.bytes ?? 0) + update.bytes.length;
        counts.matched += this.#with.take(update.bytes, update.live);
        positions?.set(key, update.position);
      } else if (update.type === 'begun') positions?.set(key, update.position);
      this.#note(path, update, counts);
    }
  }

  #note(path: string, update: TailUpdate, counts: Tally): void {
    const { events } = this.#with;
    switch (update.type) {
      case 'lines': {
        const before = counts.cut;
        counts.cut += update.cutLines;
        if (isMilestone(before, counts.cut)) events.linesCut(path, counts.cut);
        break;
      }
      case 'begun':
        break;
      case 'lost':
        events.sourceLost(path, update.error.message, update.error.fix);
        break;
      case 'resumed':
        events.sourceResumed(path);
        break;
      case 'gap':
        counts.gaps += 1;
        events.gap(path, update.reason, counts.gaps);
        break;
      case 'position-invalid':
        events.positionInvalid(path, update.position);
        break;
    }
  }
}

/** Who reads differently reads for others, and has come to another place. */
function keyOf(path: string, id: string): string {
  return `file:${path} for ${id}`;
}
