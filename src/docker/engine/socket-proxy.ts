import { chmodSync, rmSync, statSync } from 'node:fs';
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { messageOf } from '../../errors.ts';
import { http } from '../../net/http.ts';

/**
 * What the controller asks of an engine, and nothing that changes it, hands out files or connects to a container. No name begins with a
 * dot, and none is encoded: a path means to the engine what it means here.
 */
const resource =
  /^(?:\/v\d+\.\d+)?\/(?:_ping|version|info|events|networks|services|containers\/json|containers\/\w[\w.-]*\/(?:json|logs)|images\/\w[\w.:-]*\/json)(?:\?[!-~]*)?$/;

/** Headers of the engine's answers that say something about the body. */
const passedOn = ['content-type', 'api-version'] as const;

export interface SocketProxyOptions {
  /** The engine's socket. */
  readonly engine: string;
  /** Path of the socket to serve, for root alone; its folder is there. */
  readonly listen: string;
  /** Told of each request that is refused, and of each that the engine didn't answer. */
  readonly report: (text: string) => void;
  /** Told when the engine's socket is mounted and no longer the engine's: only a new mount leads to it again. */
  readonly onLeftBehind: () => void;
}

/**
 * Passes on to an engine what the controller asks of it, and refuses the rest with 403.
 *
 * @throws if it can't listen
 */
export async function serveSocketProxy(options: SocketProxyOptions): Promise<Server> {
  const { listen, report } = options;
  const server = http.createServer((incoming, outgoing) => {
    incoming.resume();
    const { method = '', url = '' } = incoming;
    if (method === 'GET' && resource.test(url)) {
      passOn(url, outgoing, options);
      return;
    }
    report(`refused: ${JSON.stringify(`${method} ${url.slice(0, 200)}`)}`);
    answer(outgoing, 403, 'dock2ban socket-proxy passes on only what dock2ban asks, all of it GET');
  });
  // Left by one that was killed.
  rmSync(listen, { force: true });
  server.listen(listen);
  await once(server, 'listening');
  chmodSync(listen, 0o600);
  return server;
}

function passOn(
  path: string,
  outgoing: ServerResponse,
  { engine, report, onLeftBehind }: SocketProxyOptions,
): void {
  const asked = http.request({ socketPath: engine, path, agent: false, headers: { host: 'docker' } });
  asked.on('response', (answered: IncomingMessage) => {
    const headers = passedOn.flatMap((name) => {
      const value = answered.headers[name];
      return value === undefined ? [] : [[name, value] as const];
    });
    outgoing.writeHead(answered.statusCode ?? 502, Object.fromEntries(headers));
    // Streams may begin with silence.
    outgoing.flushHeaders();
    pipeline(answered, outgoing, () => asked.destroy());
  });
  asked.on('error', (error) => {
    if (isLeftBehind(engine)) onLeftBehind();
    if (outgoing.headersSent || outgoing.destroyed) return;
    report(`the engine at ${engine} does not answer: ${messageOf(error)}`);
    answer(
      outgoing,
      502,
      `dock2ban socket-proxy: the engine at ${engine} does not answer: ${messageOf(error)}`,
    );
  });
  outgoing.on('close', () => asked.destroy());
  asked.end();
}

/** A mounted socket has no name any more once the engine has put another in its place (or has ended and removed it). */
function isLeftBehind(socket: string): boolean {
  return statSync(socket, { throwIfNoEntry: false })?.nlink === 0;
}

function answer(outgoing: ServerResponse, status: number, message: string): void {
  outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ message }));
}
