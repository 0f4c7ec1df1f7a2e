import type { ContainerLogs } from './container-logs.ts';
import { dockerStream, FrameDemuxer, type TakeMessage } from './frames.ts';
import type { DockerProgress } from './progress.ts';
import { RawLog } from './raw-log.ts';
import { formatInstant, TimestampReader } from './timestamp.ts';

/** Milliseconds that the engine has to tell the last message, and to read a log. */
const tailWithin = 1_000;
const readWithin = 60_000;

/** Looks whether a container's log has something that has not come. */
export class StallProbe {
  readonly #logs: ContainerLogs;
  readonly #containerId: string;
  readonly #progress: DockerProgress;
  /** The engine can't find this log's end. */
  #hasNoTail = false;

  constructor(logs: ContainerLogs, containerId: string, progress: DockerProgress) {
    this.#logs = logs;
    this.#containerId = containerId;
    this.#progress = progress;
  }

  /** The container has a new log file, or can have. */
  reset(): void {
    this.#hasNoTail = false;
  }

  /**
   * The last message tells, which the engine finds at once. Of a file that was cut short it doesn't: Docker 28 searches for it
   * with a whole core until it is told to stop. That is let happen once, and from then on the log is read instead.
   */
  async isLogAhead(signal: AbortSignal): Promise<boolean> {
    if (!this.#hasNoTail) {
      const isAhead = await this.#look({ tail: 1 }, tailWithin, signal).catch(() => undefined);
      if (isAhead !== undefined) return isAhead;
      this.#hasNoTail = !signal.aborted;
    }
    return (await this.#look({}, readWithin, signal)) ?? false;
  }

  /** @returns undefined if there was nothing to be seen */
  async #look(part: { tail?: number }, within: number, outer: AbortSignal): Promise<boolean | undefined> {
    const stamp = new TimestampReader();
    let isAhead: boolean | undefined;
    const take: TakeMessage = (stream, bytes, start, end) => {
      if (isAhead === true || stream === dockerStream.engine || stamp.read(bytes, start, end) < 0) return;
      isAhead = this.#progress.isBehind(stream === dockerStream.stderr ? 1 : 0, stamp);
    };
    // A tail is asked for whole: that it is older than what was taken is an answer, too.
    const since = formatInstant(part.tail === undefined ? this.#progress.since : { seconds: 0, nanos: 0 });
    const end = new AbortController();
    const stop = (): void => end.abort();
    const timer = setTimeout(stop, within);
    outer.addEventListener('abort', stop);
    try {
      outer.throwIfAborted();
      const options = { since, follow: false, ...part, signal: end.signal };
      const { stream, tty } = await this.#logs.open(this.#containerId, options);
      const messages = tty ? new RawLog(take, () => undefined) : new FrameDemuxer(take);
      for await (const chunk of stream) if (!messages.accept(chunk) || isAhead === true) break;
      if (messages instanceof RawLog) messages.end();
      return isAhead;
    } finally {
      clearTimeout(timer);
      outer.removeEventListener('abort', stop);
      end.abort();
    }
  }
}
