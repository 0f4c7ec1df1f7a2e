import { setTimeout as delay } from 'node:timers/promises';
import type { OpenConnection } from './client.ts';
import type { Outcome } from './client-protocol.ts';

/** A client that sends one request after the other over one connection, until it is told to stop. */
export class KeepAsking implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #asking: Promise<Outcome[]>;

  constructor(connection: OpenConnection) {
    this.#asking = ask(connection, this.#stop.signal);
  }

  /** Ends it; resolves to all outcomes. */
  async stop(): Promise<Outcome[]> {
    this.#stop.abort();
    return this.#asking;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

async function ask(connection: OpenConnection, signal: AbortSignal): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  while (!signal.aborted) {
    outcomes.push(await connection.get('/', { timeoutMs: 5000 }));
    await delay(20);
  }
  return outcomes;
}
