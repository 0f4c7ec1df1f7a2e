import { backoffDelay } from '../backoff.ts';
import type { Dock2banError } from '../errors.ts';
import { Wake } from '../wake.ts';
import { AwaitedContainers } from './awaited-containers.ts';
import type { ConnectDocker } from './engine-client.ts';
import { engineError } from './engine-error.ts';
import { ImageLabels } from './image-labels.ts';
import { networkSnapshot } from './network-snapshot.ts';
import { OptedInContainers } from './opted-in.ts';
import type { DockerSnapshot } from './snapshot.ts';

/** `lost` comes once a loss, also when there is no engine at the start; the next `snapshot` ends it. */
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
  /** 0 ≤ n < 1; jitters the delays between tries. */
  readonly random?: () => number;
}

/** Milliseconds from an event to the re-list, so that the events of one `compose up` share it. */
const debounce = 25;
/** Milliseconds between tries to connect. */
const tries = { first: 100, longest: 15_000 };
/** Milliseconds that a session must last for the next failure to count as the first. */
const stable = 5_000;

/**
 * Follows an engine: yields a snapshot first and then whenever one differs from that before. Level-triggered: events only
 * wake a re-list. Any failure ends the session (connect, list, watch) and the whole of it is tried again, for ever, with
 * backoff; a connection that is merely cut and stands again at the first try is no loss.
 */
export async function* watchDocker(options: WatchOptions): AsyncGenerator<DockerUpdate, void, undefined> {
  const { connect, signal, logger, relistEvery = 60_000, random = Math.random } = options;
  const seen = {
    optedIn: new OptedInContainers(),
    awaited: new AwaitedContainers(),
    images: new ImageLabels(),
  };
  let failures = 0;
  let state: 'new' | 'connected' | 'cut' | 'lost' = 'new';
  while (!signal.aborted) {
    const startedAt = performance.now();
    try {
      for await (const snapshot of session(connect, seen, relistEvery, signal)) {
        state = 'connected';
        yield { type: 'snapshot', snapshot };
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

/** One connection from its start to its failure: never ends but by throwing, or when `outer` aborts. */
async function* session(
  connect: ConnectDocker,
  {
    optedIn,
    awaited,
    images,
  }: {
    readonly optedIn: OptedInContainers;
    readonly awaited: AwaitedContainers;
    readonly images: ImageLabels;
  },
  relistEvery: number,
  outer: AbortSignal,
): AsyncGenerator<DockerSnapshot, void, undefined> {
  const end = new AbortController();
  const onAbort = (): void => end.abort(outer.reason);
  outer.addEventListener('abort', onAbort);
  const { signal } = end;
  try {
    signal.throwIfAborted();
    const client = await connect(signal);
    const { FirewallBackend } = await client.info(signal);
    const engine = {
      version: client.engine.Version,
      apiVersion: client.engine.ApiVersion,
      firewallBackend: FirewallBackend?.Driver ?? undefined,
    };
    const wake = new Wake();
    images.onAnswer = () => wake.set();
    // Before the first list, so that no change falls between the two.
    const events = readEvents(await client.events(signal), wake);
    let last = '';
    while (!signal.aborted) {
      wake.clear();
      const [listed, networks] = await Promise.all([
        client.listContainers(signal),
        client.listNetworks(signal),
      ]);
      const waiting = await images.of(await awaited.list(listed, client, signal), client, signal);
      const snapshot: DockerSnapshot = {
        engine,
        containers: await images.of(await optedIn.list(listed, client, signal), client, signal),
        ...(waiting.length > 0 && { awaited: waiting }),
        networks: networks.map(networkSnapshot),
      };
      const text = JSON.stringify(snapshot);
      if (text !== last) yield snapshot;
      last = text;
      if (events.ended === undefined && (await wake.wait(relistEvery, signal))) {
        await new Wake().wait(debounce, signal);
      }
      if (events.ended !== undefined) throw events.ended;
    }
  } finally {
    outer.removeEventListener('abort', onAbort);
    end.abort();
  }
}

/** Wakes at every event and when the stream is over; `ended` then says why. */
function readEvents(stream: AsyncIterable<unknown>, wake: Wake): { readonly ended: Error | undefined } {
  const state: { ended: Error | undefined } = { ended: undefined };
  void (async () => {
    try {
      for await (const _ of stream) wake.set();
      state.ended = new Error('the event stream ended');
    } catch (error) {
      state.ended = error instanceof Error ? error : new Error(String(error));
    }
    wake.set();
  })();
  return state;
}
