import type { z } from 'zod';
import type { Controller, ErrorBody } from './api.ts';

/** One request, as a route sees it. */
export interface Call {
  /** What the route's path captured, decoded. */
  readonly params: readonly string[];
  readonly query: URLSearchParams;
  /** @throws Dock2banError `invalid-request`, `too-large` */
  readonly body: <Schema extends z.ZodType>(schema: Schema) => Promise<z.infer<Schema>>;
}

/** What is answered with a status of its own. */
export class Reply {
  readonly status: number;
  readonly body: unknown;

  constructor(status: number, body: unknown) {
    this.status = status;
    this.body = body;
  }
}

/** One resource of the control interface, and a method on it. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Of the whole path after the version. */
  readonly path: RegExp;
  /** @returns the body of a 200, or a Reply */
  readonly answer: (controller: Controller, call: Call) => unknown;
}

export function failure(code: string, message: string): ErrorBody {
  return { error: { code, message } };
}

/** What is known of a jail; 404 if there is no such jail. */
export function ofJail(jail: string, body: unknown): unknown {
  return body ?? new Reply(404, failure('no-such-jail', `Sorry but the jail '${jail}' does not exist`));
}
