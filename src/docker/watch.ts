import { backoffDelay } from '../async/backoff.ts';
import { settledWithin } from '../async/settled-within.ts';
import { Dock2banError } from '../errors.ts';
import { Wake } from '../async/wake.ts';
import type { ConnectDocker } from './engine/engine-client.ts';
import { engineError } from './engine/engine-error.ts';
import { EngineView } from './engine-view.ts';
import type { DockerSnapshot, NetworkSnapshot } from './snapshot.ts';

/**
 * `lost` comes once a loss, also when there is no engine at the start, and as soon as an answer is late; the next `snapshot` ends it, also
 * if it is the same as before.
 */
export type DockerUpdate =
  | { readonly type: 'snapshot'; readonly snapshot: DockerSnapshot }
  | { readonly type: 'lost'; readonly error: Dock2banError };

/** The part of a logger that is used here. */
export interface DebugLog {
  debug(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export interface WatchOptions {
  readonly connect: ConnectDocker;
  /** Ends the watch and everything it holds open. */
  readonly signal: AbortSignal;
  readonly logger: DebugLog;
  /** Milliseconds between re-lists that no event asked for: they heal what an event missed. */
  readonly relistEvery?: number;
  /** Milliseconds after which an answer is late, and between questions whether the engine still answers. */
  readonly patience?: number;
  /** The networks as an earlier run saw them: they stand as long as the engine doesn't tell. */
  readonly networks?: readonly NetworkSnapshot[];
  /** 0 ≤ n < 1; jitters the delays between tries. */
  readonly random?: () => number;
}

/** Milliseconds from an event to the re-list, so that the events of one `compose up` share it. */
const debounce = 25;
/** Milliseconds between tries to connect. */
const tries = { first: 100, longest: 15_000 };
/** Milliseconds that a session must last for the next failure to count as the first. */
const stable = 5_000;
/** What a look costs, so many times is the pause after it: looking never takes more than a fifth of a processor. */
const pauseFactor = 4;
/** No pause is longer. Milliseconds. */
const longestPause = 10_000;
/** Milliseconds between two reads of events: these only wake, however many they are. */
const readEvery = 10;

/**
 * Follows an engine: yields a snapshot first and then whenever one differs from that before. Level-triggered: events only
 * wake a re-list. Any failure ends the session (connect, list, watch) and the whole of it is tried again, for ever, with
 * backoff; a connection that is merely cut and stands again at the first try is no loss.
 */
export async function* watchDocker(options: WatchOptions): AsyncGenerator<DockerUpdate, void, undefined> {
  const { signal, logger, networks, random = Math.random } = options;
  const wake = new Wake();
  const view = new EngineView({ wake: () => wake.set(), remembered: networks });
  let failures = 0;
  let state: 'new' | 'connected' | 'cut' | 'lost' = 'new';
  let last = '';
  while (!signal.aborted) {
    const startedAt = performance.now();
    try {
      for await (const update of session(options, view, wake)) {
        if (update.type === 'lost') {
          if (state === 'lost') continue;
          state = 'lost';
          yield update;
          continue;
        }
        const text = JSON.stringify(update.snapshot);
        if (state === 'connected' && text === last) continue;
        state = 'connected';
        last = text;
        yield update;
      }
    } catch (thrown) {
      if (signal.aborted) return;
      const error = engineError(thrown, 'GET /events', 'the engine');
      logger.debug({ error: error.message, failures }, 'The Docker session ended');
      if (state === 'connected' && performance.now() - startedAt >= stable) failures = 0;
      if (state === 'connected') {
        state = 'cut';
      } else if (state !== 'lost') {
        state = 'lost';
        yield { type: 'lost', error };
      }
    }
    await new Wake().wait(backoffDelay(tries, failures++, random), signal);
  }
}

/** One connection from its start to its failure: never ends but by throwing, or when the watch does. Tells every look, changed or not. */
async function* session(
  { connect, signal: outer, relistEvery = 60_000, patience = 5_000 }: WatchOptions,
  view: EngineView,
  wake: Wake,
): AsyncGenerator<DockerUpdate, void, undefined> {
  const end = new AbortController();
  const onAbort = (): void => end.abort(outer.reason);
  outer.addEventListener('abort', onAbort);
  const { signal } = end;
  try {
    signal.throwIfAborted();
    const client = yield* inTime(connect(signal), patience);
    // Before the first list, so that no change falls between the two.
    const events = readEvents(yield* inTime(client.events(signal), patience), wake, signal);
    while (!signal.aborted) {
      wake.clear();
      const before = process.threadCpuUsage();
      yield { type: 'snapshot', snapshot: yield* inTime(view.look(client, signal), patience) };
      const listedAt = performance.now();
      const { user, system } = process.threadCpuUsage(before);
      const pause = Math.min(longestPause, (pauseFactor * (user + system)) / 1000);
      while (events.ended === undefined) {
        const since = performance.now() - listedAt;
        const left = Math.min(relistEvery - since, Math.max(view.retryIn, pause - since));
        if (left <= 0) break;
        if (await wake.wait(Math.min(left, patience), signal)) {
          if (events.ended === undefined)
            await new Wake().wait(Math.max(debounce, pause - (performance.now() - listedAt)), signal);
          break;
        }
        if (left <= patience) continue;
        // A connection that stands says nothing: an engine that hangs keeps it open.
        const askedAt = performance.now();
        yield* inTime(client.ping(signal), patience);
        if (performance.now() - askedAt >= patience) break;
      }
      if (events.ended !== undefined) throw events.ended;
    }
  } finally {
    outer.removeEventListener('abort', onAbort);
    end.abort();
  }
}
/** Awaits an answer; tells a loss if it is late, and goes on waiting. */
async function* inTime<T>(answer: Promise<T>, patience: number): AsyncGenerator<DockerUpdate, T, undefined> {
  if (!(await settledWithin(patience, answer))) {
    const message = `the engine has not answered for ${patience / 1000} s`;
    const fix = 'see whether docker ps answers on the host; if it hangs as well, restart the Docker service';
    yield { type: 'lost', error: new Dock2banError('docker-unreachable', message, { fix }) };
  }
  return answer;
}

/** Wakes for events and when the stream is over; `ended` then says why. */
function readEvents(
  stream: AsyncIterable<unknown>,
  wake: Wake,
  signal: AbortSignal,
): { readonly ended: Error | undefined } {
  const state: { ended: Error | undefined } = { ended: undefined };
  void (async () => {
    try {
      for await (const _ of stream) {
        wake.set();
        await new Wake().wait(readEvery, signal);
      }
      state.ended = new Error('the event stream ended');
    } catch (error) {
      state.ended = error instanceof Error ? error : new Error(String(error));
    }
    wake.set();
  })();
  return state;
}
