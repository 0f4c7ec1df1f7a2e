import type { ContainerLogs, OpenLog, OpenLogOptions } from '../../../src/sources/docker/container-logs.ts';
import type { Dock2banError } from '../../../src/errors.ts';

/** A message as the engine keeps it: a line with its newline, or a piece of one. */
export interface FakeMessage {
  /** 1: stdout, 2: stderr, 3: the engine's own. */
  readonly stream: 1 | 2 | 3;
  /** Nanoseconds since the epoch. */
  readonly time: bigint;
  readonly text: Buffer | string;
}

/** Docker's timestamp: RFC 3339, nine digits, UTC. */
export function stampOf(time: bigint): string {
  const second = new Date(Number(time / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${second}.${String(time % 1_000_000_000n).padStart(9, '0')}Z`;
}

/** A message as the log API sends it with timestamps. */
export function encode({ stream, time, text }: FakeMessage, tty: boolean): Buffer {
  const stamp = stream === 3 ? '' : `${stampOf(time)} `;
  const payload = Buffer.concat([Buffer.from(stamp), Buffer.from(text)]);
  if (tty) return payload;
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

/** The messages that Docker makes of what a program writes in one go: lines, and pieces of 16 KiB of long ones. */
export function messagesOf(stream: 1 | 2, time: bigint, line: string, ended = true): FakeMessage[] {
  const bytes = Buffer.from(line);
  const messages: FakeMessage[] = [];
  for (let at = 0; at + 16_384 <= bytes.length; at += 16_384)
    messages.push({ stream, time, text: bytes.subarray(at, at + 16_384) });
  const rest = bytes.subarray(bytes.length - (bytes.length % 16_384));
  if (ended) messages.push({ stream, time, text: Buffer.concat([rest, Buffer.from('\n')]) });
  else if (rest.length > 0) messages.push({ stream, time, text: rest });
  return messages;
}

/** How one connection goes. */
export interface FakeConnection {
  /** Size of each chunk. */
  readonly chunk?: () => number;
  /** The connection is cut behind so many bytes, or where there is no more. */
  readonly cutAfter?: number;
  /** It goes quiet behind so many bytes, though there is more: moby#45728. */
  readonly stallAfter?: number;
}

/** A container's log, as the engine keeps and serves it. */
export class FakeContainerLog implements ContainerLogs {
  tty = false;
  messages: FakeMessage[] = [];
  /** The container runs: a log that is followed stays open. */
  isRunning = false;
  /** `open` rejects with this. */
  refusal: Dock2banError | undefined;
  readonly opened: Omit<OpenLogOptions, 'signal'>[] = [];
  /** Chunks that were asked for. */
  chunksSent = 0;
  /** The next connection's ways. */
  next: (options: OpenLogOptions) => FakeConnection = () => ({});
  readonly #waiting = new Set<() => void>();

  /** Logs, and wakes who follows. */
  write(...messages: FakeMessage[]): void {
    this.messages.push(...messages);
    for (const wake of this.#waiting) wake();
  }

  stop(): void {
    this.isRunning = false;
    for (const wake of this.#waiting) wake();
  }

  async open(_id: string, { signal, ...options }: OpenLogOptions): Promise<OpenLog> {
    this.opened.push(options);
    await Promise.resolve();
    if (this.refusal) throw this.refusal;
    return {
      tty: this.tty,
      stream: this.#stream({ ...options, signal }, this.next({ ...options, signal })),
    };
  }

  async *#stream(options: OpenLogOptions, connection: FakeConnection): AsyncGenerator<Buffer> {
    const { chunk = () => 4096, cutAfter = Infinity, stallAfter = Infinity } = connection;
    const [seconds = '', nanos = ''] = options.since.split('.');
    const since = BigInt(seconds) * 1_000_000_000n + BigInt(nanos);
    let sent = 0;
    const first = options.tail === undefined ? 0 : Math.max(0, this.messages.length - options.tail);
    for (let at = first; ;) {
      const bytes = Buffer.concat(
        this.messages
          .slice(at)
          .filter(({ stream, time }) => stream === 3 || time >= since)
          .map((message) => encode(message, this.tty)),
      );
      at = this.messages.length;
      for (let start = 0; start < bytes.length;) {
        const end = Math.min(
          bytes.length,
          start + chunk(),
          start + cutAfter - sent,
          start + stallAfter - sent,
        );
        if (end > start) {
          this.chunksSent++;
          yield bytes.subarray(start, end);
        }
        options.signal.throwIfAborted();
        sent += end - start;
        start = end;
        if (sent >= cutAfter) throw new Error('aborted');
        if (sent >= stallAfter) await aborted(options.signal);
      }
      if (cutAfter !== Infinity) throw new Error('aborted');
      if (!options.follow || (!this.isRunning && at === this.messages.length)) return;
      while (this.isRunning && at === this.messages.length) await this.#more(options.signal);
    }
  }

  async #more(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    await Promise.race([promise, aborted(signal)]).finally(() => this.#waiting.delete(resolve));
  }
}

async function aborted(signal: AbortSignal): Promise<never> {
  signal.throwIfAborted();
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
