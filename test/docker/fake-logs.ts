import type { ServerResponse } from 'node:http';
import { encode, type FakeMessage } from '../sources/docker/fake-container-log.ts';
import { type FakeEngine, json } from './fake-engine.ts';

/** The logs of a fake engine's containers over its log API. */
export class FakeLogs {
  /** By container id. */
  readonly messages = new Map<string, FakeMessage[]>();
  /** Containers with a terminal. */
  readonly terminals = new Set<string>();
  /** Headers come with the first message only, as before Docker 26. */
  holdsHeaders = false;
  /** Answers instead, if set. */
  refusal: { status: number; message: string } | undefined;
  readonly #followers = new Map<ServerResponse, string>();

  constructor(engine: FakeEngine) {
    engine.intercept = (path, response) => this.#answer(engine, path, response);
  }

  get followers(): number {
    return this.#followers.size;
  }

  log(id: string, ...messages: FakeMessage[]): void {
    const all = this.messages.get(id) ?? [];
    this.messages.set(id, [...all, ...messages]);
    for (const [response, followed] of this.#followers)
      if (followed === id) this.#send(response, id, messages);
  }

  /** The container has ended. */
  end(id: string): void {
    for (const [response, followed] of this.#followers) {
      if (followed !== id) continue;
      this.#followers.delete(response);
      response.end();
    }
  }

  #answer(engine: FakeEngine, path: string, response: ServerResponse): boolean {
    const { pathname, searchParams } = new URL(path, 'http://engine');
    const [, id = '', what] = /^\/containers\/(\w+)\/(logs|json)$/.exec(pathname) ?? [];
    const container = engine.containers.find((known) => known.id === id);
    if (!container) return false;
    if (what === 'json' && this.terminals.has(id)) {
      json(response, 200, {
        Id: id,
        Name: '/tty',
        Created: '',
        Image: '',
        Config: { Tty: true },
        HostConfig: {},
      });
      return true;
    }
    if (what !== 'logs') return false;
    if (this.refusal) {
      json(response, this.refusal.status, { message: this.refusal.message });
      return true;
    }
    const [seconds = '0', nanos = '0'] = searchParams.get('since')!.split('.');
    const since = BigInt(seconds) * 1_000_000_000n + BigInt(nanos);
    const tail = searchParams.get('tail');
    const all = (this.messages.get(id) ?? []).filter(({ time }) => time >= since);
    response.writeHead(200, { 'content-type': 'application/octet-stream' });
    if (!this.holdsHeaders) response.flushHeaders();
    this.#send(response, id, tail === 'all' ? all : all.slice(-Number(tail)));
    if (searchParams.get('follow') !== 'true') response.end();
    else {
      this.#followers.set(response, id);
      response.on('close', () => this.#followers.delete(response));
    }
    return true;
  }

  /** The engine flushes after each message. */
  #send(response: ServerResponse, id: string, messages: readonly FakeMessage[]): void {
    for (const message of messages) response.write(encode(message, this.terminals.has(id)));
  }
}
