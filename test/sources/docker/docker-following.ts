import {
  type DockerLogOptions,
  type DockerLogUpdate,
  followContainerLog,
} from '../../../src/sources/docker/follow-container.ts';
import { Wake } from '../../../src/async/wake.ts';
import type { FakeContainerLog } from './fake-container-log.ts';

/** Nanoseconds. */
export const second = 1_000_000_000n;
/** When the log begins, epoch nanoseconds. */
export const start = 1_795_355_093n * second;
/** `start` in epoch milliseconds. */
export const startMs = Number(start / 1_000_000n);

/** One following of a log: its updates so far. */
export class Following {
  readonly updates: DockerLogUpdate[] = [];
  readonly texts: string[] = [];
  position: string | undefined;
  readonly stop = new AbortController();
  readonly done: Promise<void>;
  readonly #changed = new Wake();
  hasEnded = false;

  constructor(log: FakeContainerLog, options: Partial<DockerLogOptions> = {}, stopAt = Infinity) {
    this.done = this.#run(log, options, stopAt);
  }

  get types(): string[] {
    return this.updates.map((update) => (update.type === 'lost' ? update.error.code : update.type));
  }

  async until(condition: () => boolean): Promise<void> {
    for (let i = 0; i < 2000 && !condition(); i++) await this.#changed.wait(5, new AbortController().signal);
    if (!condition())
      throw new Error(`${this.types.join(' ')} | ${this.texts.slice(-5).map(short).join(' ')}`);
  }

  async end(): Promise<this> {
    this.stop.abort();
    await this.done;
    return this;
  }

  async #run(log: FakeContainerLog, options: Partial<DockerLogOptions>, stopAt: number): Promise<void> {
    const { signal } = this.stop;
    const fixed = { logs: log, signal, since: 0, now: () => startMs, random: () => 1 - 1e-9 };
    for await (const update of followContainerLog('c1', { ...fixed, ...options })) {
      this.updates.push(update);
      if (update.type === 'lines') {
        this.texts.push(...update.lines.map(({ text }) => text));
        this.position = update.position;
        if (this.texts.length >= stopAt) break;
      }
      this.#changed.set();
    }
    this.hasEnded = true;
    this.#changed.set();
  }
}

/** Seldom, so that no look falls into a test that isn't about it. */
export const noLooks = {
  usual: { first: 1e6, longest: 1e6, grace: 1 },
  afterStall: { first: 1e6, longest: 1e6, grace: 1 },
};
/** Without the waits between tries. */
export const atOnce = (): { wake: Wake } => {
  const wake = new Wake();
  const timer = setInterval(() => wake.set(), 1);
  timer.unref();
  return { wake };
};

/** What tells long lines apart. */
export function short(text: string): string {
  return `${text.slice(0, 8)} of ${text.length}`;
}
