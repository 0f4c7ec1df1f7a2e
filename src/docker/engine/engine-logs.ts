import { settledWithin } from '../../async/settled-within.ts';
import { Dock2banError } from '../../errors.ts';
import type { ConnectDocker, EngineClient, LogQuery } from './engine-client.ts';
import { NotFound } from './engine-error.ts';

/** A log that is being read. */
export interface EngineLog {
  /** Throws when the connection is cut; ends when the engine has no more to send. */
  readonly stream: AsyncIterable<Buffer>;
  /** Whether the container has a terminal: its log has no frames then. */
  readonly tty: boolean;
}

/** Milliseconds that an engine has to refuse: old ones say nothing else before there is a first message. */
const refusesWithin = 1_000;

/** The logs of containers, as the engine's log API gives them. All share one connection's settings; each has a connection. */
export class EngineLogs {
  readonly #connect: ConnectDocker;
  #client: Promise<EngineClient> | undefined;

  constructor(connect: ConnectDocker) {
    this.#connect = connect;
  }

  /**
   * Rejects with a Dock2banError: `docker-not-found` if there is no such container (any more), `docker-log-unsupported` if its
   * log driver keeps nothing that the engine could read.
   */
  async open(id: string, { signal, ...query }: LogQuery & { signal: AbortSignal }): Promise<EngineLog> {
    // A new engine may speak another version.
    const client = (this.#client ??= this.#connect(new AbortController().signal));
    try {
      const engine = await client;
      const { Config } = await engine.inspectContainer(id, signal);
      const answer = engine.logs(id, query, signal);
      if (await settledWithin(refusesWithin, answer)) await answer;
      return { stream: streamOf(answer), tty: Config.Tty ?? false };
    } catch (error) {
      if (!(error instanceof NotFound) && this.#client === client) this.#client = undefined;
      throw logError(error);
    }
  }
}

async function* streamOf(answer: Promise<AsyncIterable<Buffer>>): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* await answer;
  } catch (error) {
    throw logError(error);
  }
}

/** The engine names it so; dual logging (20.10) keeps a copy for all drivers unless `cache-disabled` is set. */
function logError(error: unknown): unknown {
  if (!(error instanceof Dock2banError) || !/does not support reading/.test(error.message)) return error;
  return new Dock2banError(
    'docker-log-unsupported',
    'its log driver sends the log away, and the engine keeps none that could be read',
    {
      fix:
        'remove cache-disabled from the log options (Docker 20.10 and later keep a copy then), ' +
        'or let the service log by json-file, local, syslog or journald',
      cause: error,
    },
  );
}
