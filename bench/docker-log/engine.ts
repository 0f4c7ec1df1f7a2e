import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { FakeEngine, idOf } from '../../test/docker/fake-engine.ts';
import { stampOf } from '../../test/sources/fake-container-log.ts';

const stampLength = 30;
const headerLength = 8;
const linesOfPiece = 500;

/** An engine that serves logs as fast as they are read: real HTTP, real frames, no container behind. */
export class LogEngine {
  readonly engine = new FakeEngine();
  readonly #streams = new Map<string, ServerResponse>();

  /** @param names of its containers, each opted in */
  async start(names: readonly string[], labels: Record<string, string>): Promise<void> {
    this.engine.containers = names.map((name, n) => ({
      id: idOf(`c${n.toString(16).padStart(4, '0')}`),
      name,
      labels,
    }));
    this.engine.intercept = (path, response) => {
      const id = /^\/containers\/(\w+)\/logs/.exec(path)?.[1];
      const name = this.engine.containers.find((container) => container.id === id)?.name;
      if (name === undefined) return false;
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      response.flushHeaders();
      if (!path.includes('follow=true')) response.end();
      else this.#streams.set(name, response);
      return true;
    };
    await this.engine.start();
  }

  async stop(): Promise<void> {
    await this.engine.stop();
  }

  get followed(): number {
    return this.#streams.size;
  }

  /** A container logs lines, now. */
  log(name: string, ...lines: readonly string[]): void {
    this.#streams.get(name)?.write(new Piece(lines).stamped());
  }

  /**
   * A container logs without end, at most so many lines a second, and no more than are read.
   * @returns how many it has logged, when `signal` aborts
   */
  async flood(name: string, line: (n: number) => string, rate: number, signal: AbortSignal): Promise<number> {
    const piece = new Piece(Array.from({ length: linesOfPiece }, (_, n) => line(n)));
    const stream = this.#streams.get(name)!;
    const begun = performance.now();
    let logged = 0;
    while (!signal.aborted) {
      const ahead = logged - ((performance.now() - begun) / 1000) * rate;
      if (ahead > 0) await delay(1);
      else {
        logged += linesOfPiece;
        if (!stream.write(piece.stamped())) await drained(stream, signal);
      }
    }
    return logged;
  }
}

/** Lines in Docker's frames, to be sent again and again with the time of each sending. */
class Piece {
  readonly #bytes: Buffer;
  readonly #stamps: readonly number[];

  constructor(lines: readonly string[]) {
    const stamps: number[] = [];
    let length = 0;
    const frames = lines.map((line) => {
      const payload = Buffer.from(`${' '.repeat(stampLength)} ${line}\n`);
      const header = Buffer.alloc(headerLength);
      header[0] = 1;
      header.writeUInt32BE(payload.length, 4);
      stamps.push(length + headerLength);
      length += headerLength + payload.length;
      return Buffer.concat([header, payload]);
    });
    this.#bytes = Buffer.concat(frames);
    this.#stamps = stamps;
  }

  stamped(): Buffer {
    const stamp = Buffer.from(stampOf(BigInt(Date.now()) * 1_000_000n));
    const bytes = Buffer.from(this.#bytes);
    for (const at of this.#stamps) stamp.copy(bytes, at);
    return bytes;
  }
}

async function drained(stream: ServerResponse, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    stream.once('drain', resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
