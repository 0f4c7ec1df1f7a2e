import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import { Dock2banError, messageOf } from '../errors.ts';
import { http } from '../net/http.ts';
import { listenPrivately } from '../net/private-socket.ts';
import { apiVersion, type Controller } from './api.ts';
import { banRoutes } from './ban-routes.ts';
import { liveRoutes } from './live-routes.ts';
import { failure, Reply, type Route, StreamReply } from './route.ts';
import { TokenBucket } from './token-bucket.ts';
import { viewRoutes } from './view-routes.ts';
import { sendStream } from './view-stream.ts';

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

/** Every resource. `docs/api.md` describes each. */
export const routes: readonly Route[] = [...banRoutes, ...liveRoutes, ...viewRoutes];

/** What one server counts. */
interface Usage {
  readonly writes: TokenBucket;
  streams: number;
}

/** Answers one request over a controller. */
async function reply(
  controller: Controller,
  incoming: IncomingMessage,
  usage: Usage,
): Promise<Reply | StreamReply> {
  const [pathname, query] = targetOf(incoming.url ?? '');
  const resource = pathname.startsWith(`/${apiVersion}/`) ? pathname.slice(apiVersion.length + 1) : '';
  for (const route of routes) {
    const match = route.method === incoming.method ? route.path.exec(resource) : null;
    if (!match) continue;
    const wait = route.method === 'GET' ? 0 : usage.writes.take();
    if (wait > 0) return tooMany('too-many-requests', 'more requests than can be carried out', wait);
    const body = await route.answer(controller, {
      params: match.slice(1).map((text) => decoded(text)),
      query,
      header: (name) => incoming.headers[name]?.toString(),
      body: async (schema) => parse(schema, await bodyOf(incoming)),
    });
    if (body instanceof StreamReply && usage.streams >= mostStreams) {
      return tooMany('too-many-streams', `${mostStreams} streams are open already`, 1);
    }
    return body instanceof Reply || body instanceof StreamReply ? body : new Reply(200, body);
  }
  return new Reply(404, failure('not-found', `no such resource: ${pathname}`));
}

/** The path as it was sent, and the query. */
function targetOf(url: string): readonly [path: string, query: URLSearchParams] {
  const [path = '', query = ''] = url.split(/\?(.*)/s, 2);
  return [path, new URLSearchParams(query)];
}

/** @param wait seconds */
function tooMany(code: string, message: string, wait: number): Reply {
  return new Reply(429, failure(code, message), { 'retry-after': String(Math.ceil(wait)) });
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
  'not-started': 409,
  'too-large': 413,
};

function replyTo(error: unknown): Reply {
  const code = error instanceof Dock2banError ? error.code : 'internal';
  return new Reply(
    statusOf[code] ?? 500,
    failure(code, messageOf(error), error instanceof Dock2banError ? error.fix : undefined),
  );
}

async function handle(
  controller: Controller,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  usage: Usage,
): Promise<void> {
  const answer = await reply(controller, incoming, usage).catch(replyTo);
  if (answer instanceof StreamReply) {
    usage.streams += 1;
    await sendStream(outgoing, answer);
    usage.streams -= 1;
    return;
  }
  const { status, body, headers: own } = answer;
  // The rest of a body that is too large, or that comes in vain, is not read.
  const isUnread = status === 413 || status === 429;
  const headers = { 'content-type': 'application/json', ...own, ...(isUnread && { connection: 'close' }) };
  outgoing.writeHead(status, headers).end(JSON.stringify(body));
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

function parse<Schema extends z.ZodType>(schema: Schema, body: string): z.infer<Schema> {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (cause) {
    throw new Dock2banError('invalid-request', `the body is no JSON: ${messageOf(cause)}`, { cause });
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path ?? [];
  // What is wrong with one of `ips` names the address itself, which says more than its place.
  const where = path.length > 0 && !(path[0] === 'ips' && path.length > 1) ? `${path.join('.')}: ` : '';
  throw new Dock2banError('invalid-request', `${where}${issue?.message ?? 'invalid'}`);
}
