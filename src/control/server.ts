import type { IncomingMessage, ServerResponse } from 'node:http';
import { Dock2banError, messageOf } from '../errors.ts';
import { http } from '../net/http.ts';
import { listenPrivately } from '../net/private-socket.ts';
import { apiVersion, type ErrorBody } from './api.ts';
import type { Controller } from './controller.ts';
import { parseBody } from './requests.ts';
import { patternOf, routes } from './routes.ts';
import { sendStream, StreamReply } from './stream.ts';

/** The control interface, as long as it is open. */
export interface ControlServer {
  close(): Promise<void>;
}

/** Bytes that a request may have. */
const largestBody = 1024 * 1024;
/** Connections at a time. */
const mostConnections = 64;
/** Of these, how many may be streamed to. */
const mostStreams = 16;
/** Requests that change something: so many at once, and so many a second. */
const writes = { burst: 200, perSecond: 50 };
/** Milliseconds. */
const headersWithin = 10_000;
const requestWithin = 30_000;
const idleFor = 120_000;

const matchers = routes.map((route) => ({ ...route, pattern: patternOf(route.path) }));

/** Lets so many through at once, and so many more each second. */
export class TokenBucket {
  readonly #size: number;
  readonly #perSecond: number;
  readonly #now: () => number;
  #tokens: number;
  #last: number;

  /** @param now monotonic milliseconds */
  constructor(size: number, perSecond: number, now: () => number = () => performance.now()) {
    this.#size = size;
    this.#perSecond = perSecond;
    this.#now = now;
    this.#tokens = size;
    this.#last = now();
  }

  /** @returns seconds to wait; 0: it is let through */
  take(): number {
    const now = this.#now();
    this.#tokens = Math.min(this.#size, this.#tokens + ((now - this.#last) / 1000) * this.#perSecond);
    this.#last = now;
    if (this.#tokens < 1) return (1 - this.#tokens) / this.#perSecond;
    this.#tokens -= 1;
    return 0;
  }
}

/** What one server counts. */
interface Usage {
  readonly writes: TokenBucket;
  streams: number;
}

/** It may be asked again later. */
class TooMany extends Dock2banError {
  readonly seconds: number;

  constructor(code: string, message: string, seconds: number) {
    super(code, message);
    this.seconds = Math.ceil(seconds);
  }
}

/** @returns the body, or a StreamReply  @throws Dock2banError */
async function answer(controller: Controller, incoming: IncomingMessage, usage: Usage): Promise<unknown> {
  const [path = '', query] = (incoming.url ?? '').split(/\?(.*)/s, 2);
  const resource = path.startsWith(`/${apiVersion}/`) ? path.slice(apiVersion.length + 1) : '';
  const route = matchers.find(({ method, pattern }) => method === incoming.method && pattern.test(resource));
  if (!route) throw new Dock2banError('not-found', `no such resource: ${path}`);
  const wait = route.method === 'GET' ? 0 : usage.writes.take();
  if (wait > 0) throw new TooMany('too-many-requests', 'more requests than can be carried out', wait);
  const found: unknown = await route.answer(controller, {
    named: decoded(route.pattern.exec(resource)?.[1] ?? ''),
    query: new URLSearchParams(query),
    header: (name) => incoming.headers[name]?.toString(),
    body: async (schema) => parseBody(schema, await bodyOf(incoming)),
  });
  if (found instanceof StreamReply && usage.streams >= mostStreams) {
    throw new TooMany('too-many-streams', `${mostStreams} streams are open already`, 1);
  }
  return found;
}

/** @throws Dock2banError `invalid-request` */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    throw new Dock2banError('invalid-request', `the path is not well encoded: ${segment}`, { cause });
  }
}

/** @throws Dock2banError `too-large` */
async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > largestBody) throw new Dock2banError('too-large', 'the body is larger than 1 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

const statusOf: Readonly<Record<string, number>> = {
  'invalid-request': 400,
  'invalid-option': 400,
  'not-found': 404,
  'no-such-jail': 404,
  'not-started': 409,
  'too-large': 413,
  'too-many-requests': 429,
  'too-many-streams': 429,
};

async function handle(
  controller: Controller,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  usage: Usage,
): Promise<void> {
  let found: unknown;
  try {
    found = await answer(controller, incoming, usage);
  } catch (error) {
    sendError(outgoing, error);
    return;
  }
  if (!(found instanceof StreamReply)) {
    outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(found));
    return;
  }
  usage.streams += 1;
  await sendStream(outgoing, found);
  usage.streams -= 1;
}

function sendError(outgoing: ServerResponse, error: unknown): void {
  const { code, fix } = error instanceof Dock2banError ? error : { code: 'internal', fix: undefined };
  const status = statusOf[code] ?? 500;
  const body: ErrorBody = { error: { code, message: messageOf(error), ...(fix !== undefined && { fix }) } };
  outgoing
    .writeHead(status, {
      'content-type': 'application/json',
      ...(error instanceof TooMany && { 'retry-after': String(error.seconds) }),
      // The rest of a body that is too large, or that comes in vain, is not read.
      ...((status === 413 || status === 429) && { connection: 'close' }),
    })
    .end(JSON.stringify(body));
}

/**
 * Serves the controller on a unix socket that only its owner can use (mode 0600).
 * @throws Dock2banError `socket-in-use` if another controller answers there, `socket` if it can't be made
 */
export async function serveControl(path: string, controller: Controller): Promise<ControlServer> {
  const usage: Usage = { writes: new TokenBucket(writes.burst, writes.perSecond), streams: 0 };
  const server = http.createServer(
    { headersTimeout: headersWithin, requestTimeout: requestWithin, connectionsCheckingInterval: 5000 },
    (incoming, outgoing) => void handle(controller, incoming, outgoing, usage),
  );
  server.maxConnections = mostConnections;
  server.timeout = idleFor;
  try {
    await listenPrivately(server, path);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE') {
      throw new Dock2banError('socket-in-use', `another dock2ban already serves ${path}`, {
        fix: 'stop the other one, or give this one another --socket',
        cause,
      });
    }
    throw new Dock2banError('socket', `cannot serve the control socket ${path}: ${messageOf(cause)}`, {
      fix: 'mount a writable folder there (compose: tmpfs: [/run]), or choose another --socket',
      cause,
    });
  }
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
