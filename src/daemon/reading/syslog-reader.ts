import type { Dock2banError } from '../../errors.ts';
import { parsePosition } from '../../sources/file/file-position.ts';
import { followSyslogFile, type SyslogLine } from '../../sources/syslog/follow-syslog-file.ts';
import { Wake } from '../../async/wake.ts';
import type { SourceStats } from '../../control/api.ts';
import type { ReaderParts } from './reader-parts.ts';
import { SourceBook } from './source-book.ts';
import type { JailRegistry } from '../../jail/jail-registry.ts';
import { SyslogRoutes } from './syslog-routes.ts';

/** Milliseconds; nothing happens when it runs out. */
const longWait = 3_600_000;

/** Follows the host's syslog file, and takes its lines to the jails whose containers log under that program name. */
export class SyslogReader {
  readonly #path: string;
  readonly #parts: ReaderParts;
  readonly #routes: SyslogRoutes;
  readonly #book: SourceBook;
  readonly #updated = new Wake();
  #isUpdated = false;
  readonly #begun = Promise.withResolvers<void>();
  #lost: Dock2banError | undefined;
  #reported = false;

  constructor(path: string, parts: ReaderParts) {
    this.#path = path;
    this.#parts = parts;
    this.#routes = new SyslogRoutes('file', parts);
    const source = {
      name: path,
      key: `syslog:${path}`,
      unit: 'lines',
      onLost: (error: Dock2banError) => this.#noteLost(error),
      onResumed: () => this.#noteResumed(),
      isRead: () => !this.#routes.isEmpty,
    } as const;
    this.#book = new SourceBook(source, parts);
  }

  /** Resolves when every line logged from then on will be read, or when `run` has ended. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  /** What happened to the file's lines that jails read. */
  get counts(): readonly SourceStats[] {
    return this.#routes.isEmpty ? [] : [{ source: this.#path, ...this.#book.counts }];
  }

  /** Until when a program's lines were read, in this run or an earlier one, epoch milliseconds; undefined if they never were. */
  readUpTo(program: string): number | undefined {
    // The file's last modification: perhaps more than was read. Lines between are lost, but none is taken twice.
    return this.#routes.readUpTo(program) ?? parsePosition(this.#book.position ?? '')?.written;
  }

  /** Runs until `signal` aborts. Lines logged since an earlier run wait until it is known which jails read them. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#run(signal);
    } finally {
      this.#begun.resolve();
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    const after = this.#book.position;
    if (after !== undefined)
      while (!this.#isUpdated && !signal.aborted) await this.#updated.wait(longWait, signal);
    const wanted = (program: string): boolean => this.#routes.has(program);
    for await (const update of followSyslogFile(this.#path, {
      signal,
      from: 'end',
      ...(after !== undefined && { after }),
      wanted,
      now: this.#parts.clock,
      onBegin: this.#begun.resolve,
    })) {
      if (update.type === 'lines') this.#take(update.lines, update.live);
      this.#book.enter(update);
    }
  }

  /** Refreshes the stored positions, so that the age limit doesn't drop those of quiet logs. */
  keepPositions(): void {
    this.#book.keepPosition();
  }

  /** Adapts to the jails' current sources. */
  update(registry: JailRegistry): void {
    this.#routes.update(registry);
    this.#report();
    this.#isUpdated = true;
    this.#updated.set();
  }

  #take(lines: Iterable<SyslogLine>, live: boolean): void {
    let [count, matched] = [0, 0];
    for (const line of lines) {
      matched += this.#routes.take(line, live);
      count += 1;
    }
    this.#book.countLines(count, matched);
  }

  /** Whether it can't be read at present. */
  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  #noteLost(error: Dock2banError): void {
    this.#lost = error;
    this.#report();
    this.#parts.fallbacks.unreadable('syslog file', this.#path);
  }

  #noteResumed(): void {
    if (this.#reported) this.#parts.events.sourceResumed(this.#path);
    this.#lost = undefined;
    this.#reported = false;
    this.#parts.fallbacks.readable('syslog file');
  }

  /** A host without a syslog file is no fault as long as no jail reads it. */
  #report(): void {
    if (this.#lost === undefined || this.#reported || this.#routes.isEmpty) return;
    this.#reported = true;
    this.#parts.events.sourceLost(this.#path, this.#lost.message, this.#lost.fix);
  }
}
