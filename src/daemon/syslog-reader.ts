import type { Dock2banError } from '../errors.ts';
import { followSyslogFile } from '../sources/syslog-file.ts';
import { Wake } from '../wake.ts';
import type { EventLog } from './event-log.ts';
import type { Positions } from './followed-container.ts';
import { isMilestone, type LineCounts } from './line-counts.ts';
import type { JailRegistry } from './jail-registry.ts';
import type { Matching } from './matching.ts';
import { SyslogRoutes } from './syslog-routes.ts';

/** Milliseconds between two looks for nothing. */
const longWait = 3_600_000;

/** Follows the host's syslog file, and takes its lines to the jails whose containers log under that program name. */
export class SyslogReader {
  readonly #path: string;
  readonly #routes: SyslogRoutes;
  readonly #events: EventLog;
  readonly #clock: () => number;
  readonly #positions: Positions | undefined;
  readonly #updated = new Wake();
  #isUpdated = false;
  readonly #begun = Promise.withResolvers<void>();
  #lost: Dock2banError | undefined;
  #reported = false;
  #counts: LineCounts = { cut: 0, gaps: 0 };

  /** @param positions up to where the file was read; without, it is read from its end */
  constructor(
    path: string,
    matching: Matching,
    events: EventLog,
    clock: () => number,
    positions?: Positions,
  ) {
    this.#path = path;
    this.#positions = positions;
    this.#routes = new SyslogRoutes('file', matching);
    this.#events = events;
    this.#clock = clock;
  }

  /** Resolves when no line is missed any more that is logged from then on; also when `run` has ended. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  /** What happened to the lines of the file. */
  get counts(): LineCounts {
    return this.#counts;
  }

  /** Runs until `signal` aborts. What was logged since an earlier run waits until it is known who reads it. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#run(signal);
    } finally {
      this.#begun.resolve();
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    const key = `syslog:${this.#path}`;
    const after = this.#positions?.get(key);
    if (after !== undefined)
      while (!this.#isUpdated && !signal.aborted) await this.#updated.wait(longWait, signal);
    const wanted = (program: string): boolean => this.#routes.has(program);
    for await (const update of followSyslogFile(this.#path, {
      signal,
      from: 'end',
      ...(after !== undefined && { after }),
      wanted,
      now: this.#clock,
      onBegin: this.#begun.resolve,
    })) {
      switch (update.type) {
        case 'lines':
          // In one go: no position is stored without what was counted on the way to it, and the other way round.
          for (const line of update.lines) this.#routes.take(line, update.live);
          this.#positions?.set(key, update.position);
          if (update.cutLines > 0) this.#noteCut(update.cutLines);
          break;
        case 'begun':
          this.#positions?.set(key, update.position);
          break;
        case 'lost':
          this.#lost = update.error;
          this.#report();
          break;
        case 'resumed':
          if (this.#reported) this.#events.sourceResumed(this.#path);
          this.#lost = undefined;
          this.#reported = false;
          break;
        case 'gap':
          this.#counts = { ...this.#counts, gaps: this.#counts.gaps + 1 };
          break;
        case 'position-invalid':
          this.#events.positionInvalid(this.#path, update.position);
          break;
      }
    }
  }

  /** Follows the jails' sources. */
  update(registry: JailRegistry): void {
    this.#routes.update(registry);
    this.#report();
    this.#isUpdated = true;
    this.#updated.set();
  }

  #noteCut(count: number): void {
    const { cut, gaps } = this.#counts;
    this.#counts = { cut: cut + count, gaps };
    if (isMilestone(cut, cut + count)) this.#events.linesCut(this.#path, cut + count);
  }

  /** A host without a syslog file is no fault as long as no jail reads it. */
  #report(): void {
    if (this.#lost === undefined || this.#reported || this.#routes.isEmpty) return;
    this.#reported = true;
    this.#events.sourceLost(this.#path, this.#lost.message, this.#lost.fix);
  }
}
