import { asDock2banError, Dock2banError } from '../../errors.ts';
import { Wake } from '../../async/wake.ts';
import type { ContainerLogs } from './container-logs.ts';
import { DockerLogStream } from './log-stream.ts';
import { DockerProgress } from './progress.ts';
import { formatInstant, instantOf } from './timestamp.ts';
import type { LineBatch } from './lines.ts';
import type { LogLine } from '../log-line.ts';
import type { SourceUpdate } from '../source-update.ts';
import { retryDelay } from '../retry-delay.ts';
import { StallProbe } from './stall-probe.ts';
import { StallWatch, type StallTiming } from './stall-watch.ts';

/** What following a container's log yields. `gap`: what was read last is no longer in the log, so lines behind it may be missing, too. */
export type DockerLogUpdate = SourceUpdate<{
  readonly lines: readonly LogLine[];
  /** False as long as lines come that were logged before the log was opened. */
  readonly live: boolean;
}>;

export interface DockerLogOptions {
  readonly logs: ContainerLogs;
  readonly signal: AbortSignal;
  /** Resume behind this position. Without it, what was logged from `since` on is read. */
  readonly after?: string;
  /** Epoch milliseconds. */
  readonly since: number;
  /** Set to try again at once: the container may have started. */
  readonly wake?: Wake;
  /** The present, epoch milliseconds. */
  readonly now: () => number;
  /** 0 ≤ n < 1; jitters the delays between tries. */
  readonly random?: () => number;
  readonly stallTiming?: { readonly usual: StallTiming; readonly afterStall: StallTiming };
}

const stallTiming = {
  usual: { first: 10_000, longest: 60_000, grace: 1_000 },
  afterStall: { first: 1_000, longest: 5_000, grace: 100 },
};
/** Milliseconds that a container which has ended is looked at again after, at most. */
const longestRest = 2_000;
/** Messages from the end of a log whose beginning the engine can't read. */
const readableEnd = 1_000;

/**
 * Follows the log of a container through its restarts and the engine's, by the engine's log API. The log is read only when
 * the consumer asks for more. Ends when `signal` aborts or the container is removed; never throws.
 */
export async function* followContainerLog(
  containerId: string,
  options: DockerLogOptions,
): AsyncGenerator<DockerLogUpdate, void, undefined> {
  const { signal, after, wake = new Wake(), random = Math.random } = options;
  const known = after === undefined ? undefined : DockerProgress.parse(after);
  if (after !== undefined && !known) yield { type: 'position-invalid', position: after };
  const progress = known ?? DockerProgress.from(instantOf(options.since));
  const session = new Session(containerId, options, progress);
  let lost: Dock2banError | undefined;
  let failures = 0;
  let ends = 0;
  while (!signal.aborted) {
    let error: Dock2banError | undefined;
    try {
      for await (const update of session.read()) {
        // A damaged log can always be opened.
        if (lost && (update !== 'open' || lost.code !== 'docker-log-damaged')) {
          lost = undefined;
          yield { type: 'resumed' };
        }
        if (update === 'open') continue;
        failures = 0;
        ends = 0;
        yield update;
      }
    } catch (thrown) {
      error = asDock2banError(thrown, 'source-unreadable');
    }
    if (signal.aborted || error?.code === 'docker-not-found') return;
    // What is cut off and stands again at the next try is not lost.
    if (error && error !== stalledAgain && !lost && (failures > 0 || lasting.has(error.code))) {
      lost = error;
      yield { type: 'lost', error };
    }
    if (error?.code === 'docker-log-stalled') continue;
    const rest = error ? retryDelay(failures++, random) : Math.min(longestRest, retryDelay(ends++, random));
    if (await wake.wait(rest, signal)) ends = 0;
  }
}

/** What the next try won't mend. */
const lasting = new Set(['docker-log-unsupported', 'docker-log-stalled', 'docker-log-damaged']);

/** The streams of one log, one after the other. */
class Session {
  readonly #containerId: string;
  readonly #options: DockerLogOptions;
  readonly #progress: DockerProgress;
  readonly #probe: StallProbe;
  /** The engine has once ceased to send what it had: it may again. */
  #hasStalled = false;
  /** The engine couldn't read the log from where it was asked to. */
  #isDamaged = false;

  constructor(containerId: string, options: DockerLogOptions, progress: DockerProgress) {
    this.#containerId = containerId;
    this.#options = options;
    this.#progress = progress;
    this.#probe = new StallProbe(options.logs, containerId, progress);
  }

  /** One stream from its opening to its end. Throws a Dock2banError if it failed. */
  async *read(): AsyncGenerator<
    'open' | Extract<DockerLogUpdate, { type: 'lines' | 'gap' }>,
    void,
    undefined
  > {
    const { logs, now, signal: outer } = this.#options;
    const end = new AbortController();
    const onAbort = (): void => end.abort(outer.reason);
    outer.addEventListener('abort', onAbort);
    const { signal } = end;
    const stall = this.#watch(end);
    const openedAt = now();
    let isLive = false;
    const update = ({ lines, cutLines }: LineBatch) => {
      const live = isLive;
      isLive ||= lines.at(-1)!.time! >= openedAt;
      const { position } = this.#progress;
      return { type: 'lines', lines, position, live, cutLines } as const;
    };
    try {
      signal.throwIfAborted();
      const tail = this.#isDamaged ? { tail: readableEnd } : {};
      const since = formatInstant(this.#progress.since);
      const { stream, tty } = await logs.open(this.#containerId, { since, follow: true, ...tail, signal });
      this.#progress.replay(tty);
      yield 'open';
      const reader = new DockerLogStream(tty, this.#progress, this.#isDamaged);
      let hasNew = false;
      void stall.run(signal);
      for await (const chunk of stall.observe(stream)) {
        const batch = reader.accept(chunk);
        if (this.#progress.takeGap()) yield { type: 'gap', reason: 'rotated' };
        if (batch) {
          hasNew = true;
          yield update(batch);
        }
        if (reader.problem !== undefined) break;
      }
      if (reader.problem === undefined) {
        const batch = reader.end();
        if (this.#progress.takeGap()) yield { type: 'gap', reason: 'rotated' };
        if (batch) yield update(batch);
        this.#hasStalled = false;
        this.#isDamaged = false;
        this.#probe.reset();
        return;
      }
      this.#isDamaged = !hasNew;
      throw damaged(reader.problem);
    } catch (error) {
      throw signal.reason instanceof Dock2banError && !outer.aborted ? signal.reason : error;
    } finally {
      outer.removeEventListener('abort', onAbort);
      end.abort();
    }
  }

  #watch(end: AbortController): StallWatch {
    const { stallTiming: timing = stallTiming } = this.#options;
    return new StallWatch({
      timing: this.#hasStalled ? timing.afterStall : timing.usual,
      isBehind: (signal) => this.#probe.isLogAhead(signal),
      onStall: () => {
        const isFirst = !this.#hasStalled;
        this.#hasStalled = true;
        this.#isDamaged = false;
        end.abort(isFirst ? stalled() : stalledAgain);
      },
    });
  }
}

/** Said already. */
const stalledAgain = new Dock2banError('docker-log-stalled', 'the engine holds back what the container logs');

function stalled(): Dock2banError {
  return new Dock2banError(
    'docker-log-stalled',
    'the engine holds back what the container logs, as it does once another program has cut the log file short ' +
      '(moby issue 45728); it is asked again and again from now on',
    {
      fix: "take Docker's log files out of logrotate, rotate by the log options max-size and max-file, and restart the container",
    },
  );
}

function damaged(problem: string): Dock2banError {
  return new Dock2banError('docker-log-damaged', `the engine can't read its log: ${problem}`, {
    fix: 're-create the container, which gives it a new log; until then only the last lines can be read',
  });
}
