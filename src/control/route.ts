import type { z } from 'zod';
import type { Controller, ErrorBody } from './api.ts';

/** One request, as a route sees it. */
export interface Call {
  /** What the route's path captured, decoded. */
  readonly params: readonly string[];
  readonly query: URLSearchParams;
  /** @param name in lower case */
  readonly header: (name: string) => string | undefined;
  /** @throws Dock2banError `invalid-request`, `too-large` */
  readonly body: <Schema extends z.ZodType>(schema: Schema) => Promise<z.infer<Schema>>;
}

/** What is answered with a status of its own. */
export class Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** Where a streamed answer is written. */
export interface Sink {
  /** Aborts when the reader is gone, was dropped for being too slow, or the server closes. */
  readonly signal: AbortSignal;
  /** Sends at once. A reader for whom too much waits is dropped. */
  send(text: string): void;
  /** Resolves when there is room for more; rejects when the reader is gone. */
  drained(): Promise<void>;
}

/** What is answered bit by bit. */
export class StreamReply {
  readonly type: string;
  readonly write: (sink: Sink) => Promise<void>;

  /** @param write ends the answer when it resolves */
  constructor(type: string, write: (sink: Sink) => Promise<void>) {
    this.type = type;
    this.write = write;
  }
}

/** One resource of the control interface, and a method on it. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Of the whole path after the version. */
  readonly path: RegExp;
  /** @returns the body of a 200, a Reply, or a StreamReply */
  readonly answer: (controller: Controller, call: Call) => unknown;
}

export function failure(code: string, message: string, fix?: string): ErrorBody {
  return { error: { code, message, ...(fix !== undefined && { fix }) } };
}

/** What is known of a jail; 404 if there is no such jail. */
export function ofJail(jail: string, body: unknown): unknown {
  return body ?? new Reply(404, failure('no-such-jail', `Sorry but the jail '${jail}' does not exist`));
}
