import { connect, type Socket } from 'node:net';
import type { Outcome } from './client-protocol.ts';

const errorOutcomes: Readonly<Record<string, Outcome>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ENETUNREACH: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  ETIMEDOUT: 'timeout',
};

/**
 * One HTTP/1.1 connection with one request at a time. It is written on sockets so that a dropped packet shows as it is: no agent retries,
 * reuses or reconnects.
 */
export class HttpConnection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #finish: ((outcome: Outcome) => void) | undefined;
  /** How the connection ended; undefined while it is usable. */
  #ended: Outcome | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      this.#end(errorOutcomes[error.code ?? ''] ?? 'reset'),
    );
    socket.on('close', () => this.#end('closed'));
  }

  /** Connects, or tells why it couldn't within the time. */
  static async open(url: URL, timeoutMs: number): Promise<HttpConnection | Outcome> {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const connection = new HttpConnection(connect({ host, port: Number(url.port || 80) }));
    const outcome = await connection.#wait(timeoutMs, (finish) => {
      connection.#socket.once('connect', () => finish(0));
    });
    return outcome === 0 ? connection : outcome;
  }

  /** Whether another request can be sent. */
  get usable(): boolean {
    return this.#ended === undefined;
  }

  /** Sends a GET request and waits for the whole response. After anything but a status the connection is closed. */
  async request(path: string, host: string, timeoutMs: number, user?: string): Promise<Outcome> {
    if (this.#ended !== undefined) return this.#ended;
    const basic = user === undefined ? '' : `Authorization: Basic ${btoa(`${user}:x`)}\r\n`;
    return this.#wait(timeoutMs, () => {
      this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: d2b-lab\r\n${basic}\r\n`);
    });
  }

  /** Closes with a reset, so that no state stays behind. */
  close(): void {
    this.#ended ??= 'closed';
    this.#socket.resetAndDestroy();
  }

  async #wait(timeoutMs: number, start: (finish: (outcome: Outcome) => void) => void): Promise<Outcome> {
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const timer = setTimeout(() => {
      this.#end('timeout');
      this.#socket.destroy();
    }, timeoutMs);
    this.#finish = resolve;
    start(resolve);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#finish = undefined;
    }
  }

  #end(outcome: Outcome): void {
    this.#ended ??= outcome;
    this.#finish?.(outcome);
  }

  #receive(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headEnd = this.#received.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const head = this.#received.toString('latin1', 0, headEnd);
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    const end = headEnd + 4 + length;
    if (this.#received.length < end) return;
    this.#received = this.#received.subarray(end);
    this.#finish?.(Number(head.slice(9, 12)));
  }
}
