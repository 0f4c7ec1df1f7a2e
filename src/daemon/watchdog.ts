import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { FilterSpec } from '../filter/spec.ts';
import { WorkSign } from '../filter/work-sign.ts';
import type { LogFormat } from './options.ts';
import { type Culprit, culpritOf, type Stall } from './quarantine.ts';

/** What its thread is given. */
export interface WatchdogData {
  /** Beats of the main thread, and the id of what is at work in it; 0: nothing that anybody could be blamed for. */
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly stateDir: string;
  readonly logFormat: LogFormat;
  /** See StallGauge. */
  readonly ownCpu: number | undefined;
}

/** Seconds: a start that was ended in the midst of its work would be ended there again and again. */
const ownCpuAgain = 120;
/** The id of the filter that is being compiled. */
const compiling = 1;

/**
 * Ends the process when the event loop stalls for 10 seconds in which it computes, and notes in whose expressions. Long work of our own
 * has to let others have their turn.
 */
export class Watchdog {
  readonly #words = new Int32Array(new SharedArrayBuffer(8));
  readonly #worker: Worker;
  readonly #beat: NodeJS.Timeout;
  readonly #compiling = new WorkSign(this.#words, 1, compiling);
  /** By jail. */
  readonly #ids = new Map<string, number>();

  /**
   * @param lastStall of the run before
   * @param onLost told if there is no watchdog any more
   */
  constructor(
    { stateDir, logFormat }: Pick<WatchdogData, 'stateDir' | 'logFormat'>,
    lastStall: Stall | undefined,
    onLost: (error: unknown) => void,
  ) {
    const ownCpu = lastStall && !lastStall.culprit ? ownCpuAgain : undefined;
    const workerData: WatchdogData = { words: this.#words, stateDir, logFormat, ownCpu };
    this.#worker = new Worker(new URL(`watchdog-thread${extname(import.meta.url)}`, import.meta.url), {
      workerData,
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 },
    });
    this.#worker.on('error', onLost);
    this.#worker.unref();
    this.#beat = setInterval(() => Atomics.add(this.#words, 0, 1), 1000).unref();
  }

  /** What a jail's filter shows while it is at work. */
  signOf(jail: string, spec: FilterSpec): WorkSign {
    const id = this.#ids.get(jail) ?? compiling + 1 + this.#ids.size;
    this.#ids.set(jail, id);
    this.#name(id, culpritOf(spec, jail));
    return new WorkSign(this.#words, 1, id);
  }

  /** Compiles a filter; a stall is blamed on it. */
  overCompiling<T>(compile: (spec: FilterSpec) => T): (spec: FilterSpec) => T {
    return (spec) => {
      this.#name(compiling, culpritOf(spec));
      this.#compiling.begin();
      try {
        return compile(spec);
      } finally {
        this.#compiling.end();
      }
    };
  }

  #name(id: number, culprit: Culprit): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    this.#worker.postMessage([id, culprit]);
  }

  async stop(): Promise<void> {
    clearInterval(this.#beat);
    await this.#worker.terminate();
  }
}
