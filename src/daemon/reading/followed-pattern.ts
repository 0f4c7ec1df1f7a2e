import { isSamePlace, parsePosition } from '../../sources/file/file-position.ts';
import { tailFile } from '../../sources/file/follow-file.ts';
import { globLimits } from '../../sources/file/glob.ts';
import { watchGlob } from '../../sources/file/watch-glob.ts';
import type { EventLog } from '../events/event-log.ts';
import type { Positions } from './positions.ts';
import { SourceBook, type SourceCounts } from './source-book.ts';

export interface PatternOptions {
  readonly pattern: string;
  /** What tells these readers from others of the same files, for ever. */
  readonly id: string;
  /** Where to begin in files that are there at the start, and were not read by an earlier run. */
  readonly from: 'start' | 'end';
  /** Look again and again instead of waiting for the kernel's notice. */
  readonly polling: boolean;
  /** Folders that no file may be outside of, wherever links lead. */
  readonly within?: readonly string[];
}

/** What a pattern's files are followed with. */
export interface PatternFollowing {
  /** Called with whole lines, each with its newline; what it does is done when it returns. */
  readonly take: TakeLines;
  /** Called when a file is read from a place on, or further. */
  readonly onProgress?: (path: string) => void;
  readonly events: EventLog;
  readonly positions: Positions;
}

/**
 * Takes whole lines, each with its newline; they are valid during the call. `live`: logged now, not before the start. `by`: of what
 * was logged since an earlier run, when the file was written last, epoch milliseconds.
 * @param cuts where something of a long line was left out
 * @returns how many failures were in them
 */
export type TakeLines = (
  bytes: Buffer,
  cuts: readonly number[],
  live: boolean,
  path: string,
  by?: number,
) => number;

interface Tail {
  readonly end: AbortController;
  readonly book: SourceBook;
  /** Up to where the file is read; undefined: from the start, or if it isn't placed yet, from its end. */
  position: string | undefined;
  isPlaced: boolean;
  hasBegun: boolean;
}

/** A pattern of log files that is followed: every file that matches it, now and later. */
export class FollowedPattern {
  readonly #options: PatternOptions;
  readonly #with: PatternFollowing;
  readonly #end = new AbortController();
  readonly #tails = new Map<string, Tail>();
  readonly #reading = new Set<Promise<void>>();
  readonly #begun = Promise.withResolvers<void>();
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

  /** Resolves when every line logged from then on to a file that matched at the start will be read. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  /** Whether another reading of a file has come to where this one stands: what it reads next is the same. */
  isLevelWith(other: FollowedPattern, path: string): boolean {
    const [own, others] = [this.#tails.get(path), other.#tails.get(path)];
    if (!own || !others || !isSettled(own) || !isSettled(others)) return false;
    return isSamePlace(own.position, others.position);
  }

  /** By path, of the files that match now. */
  get counts(): ReadonlyMap<string, SourceCounts> {
    return new Map([...this.#tails].map(([path, { book }]) => [path, book.counts]));
  }

  /** The files that match and can't be read at present. */
  get lost(): readonly string[] {
    return [...this.#tails].flatMap(([path, { book }]) => (book.isLost ? [path] : []));
  }

  /** Refreshes the stored positions, so that the age limit doesn't drop those of quiet logs. */
  keepPositions(): void {
    for (const { book } of this.#tails.values()) book.keepPosition();
  }

  /** Lets those who read as `id` says go on in a file where this reading has come to. */
  handOver(path: string, id: string): void {
    const position = this.#tails.get(path)?.position;
    if (position !== undefined) this.#with.positions.set(keyOf(path, id), position);
  }

  /** Takes no more lines; resolves when every file is closed. */
  async close(): Promise<void> {
    this.#end.abort();
    await this.#done;
    await Promise.all(this.#reading);
  }

  async #follow(): Promise<void> {
    try {
      await this.#followFiles();
    } finally {
      if (this.#end.signal.aborted) this.#begun.resolve();
    }
  }

  async #followFiles(): Promise<void> {
    let { from } = this.#options;
    const { pattern } = this.#options;
    const onCut = (): void => this.#with.events.tooManyFiles(pattern, globLimits.files, globLimits.entries);
    for await (const paths of watchGlob(pattern, this.#end.signal, onCut)) {
      for (const [path, { end }] of this.#tails) {
        if (paths.has(path)) continue;
        end.abort();
        this.#tails.delete(path);
      }
      for (const path of paths) if (!this.#tails.has(path)) this.#tails.set(path, this.#start(path, from));
      this.#noteIfBegun();
      // A file that comes later is new from its first line.
      from = 'start';
    }
  }

  #start(path: string, from: 'start' | 'end'): Tail {
    const source = { name: path, key: keyOf(path, this.#options.id), unit: 'bytes' } as const;
    const book = new SourceBook(source, this.#with);
    const { position } = book;
    const tail: Tail = {
      end: new AbortController(),
      book,
      position,
      isPlaced: from === 'start' || position !== undefined,
      hasBegun: false,
    };
    const reading = this.#tail(path, from, tail).finally(() => {
      this.#reading.delete(reading);
      this.#noteBegun(path, tail);
    });
    this.#reading.add(reading);
    return tail;
  }

  async #tail(path: string, from: 'start' | 'end', tail: Tail): Promise<void> {
    const { onProgress } = this.#with;
    const { polling, within } = this.#options;
    const { book, position: after } = tail;
    const { counts } = book;
    const signal = AbortSignal.any([this.#end.signal, tail.end.signal]);
    const onBegin = (): void => this.#noteBegun(path, tail);
    const options = {
      signal,
      from,
      polling,
      onBegin,
      ...(after !== undefined && { after }),
      ...(within && { within }),
    };
    for await (const update of tailFile(path, options)) {
      // Somebody else may go on from the position by now.
      if (signal.aborted) break;
      if (update.type === 'lines') {
        counts.bytes = (counts.bytes ?? 0) + update.bytes.length;
        const isUnread = !update.live && after !== undefined;
        const by = isUnread ? parsePosition(update.position)?.written : undefined;
        counts.matched += this.#with.take(update.bytes, update.cuts, update.live, path, by);
      }
      book.enter(update);
      if (update.type === 'lines' || update.type === 'begun') {
        tail.position = update.position;
        tail.isPlaced = true;
        onProgress?.(path);
      }
    }
  }

  #noteBegun(path: string, tail: Tail): void {
    if (tail.hasBegun) return;
    tail.hasBegun = true;
    this.#noteIfBegun();
    this.#with.onProgress?.(path);
  }

  #noteIfBegun(): void {
    if ([...this.#tails.values()].every(({ hasBegun }) => hasBegun)) this.#begun.resolve();
  }
}

/** It is known from where it reads. */
function isSettled({ hasBegun, isPlaced }: Tail): boolean {
  return hasBegun && isPlaced;
}

/** Who reads differently reads for others, and has come to another place. */
function keyOf(path: string, id: string): string {
  return `file:${path} for ${id}`;
}
