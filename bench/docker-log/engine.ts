import type { ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { type FakeContainer, FakeEngine, idOf } from '../../test/docker/fake-engine.ts';
import { Piece } from './piece.ts';

const linesOfPiece = 500;

/** An engine that serves logs as fast as they are read: real HTTP, real frames, no container behind. */
export class LogEngine {
  readonly engine = new FakeEngine();
  readonly #streams = new Map<string, ServerResponse>();

  async start(containers: readonly Omit<FakeContainer, 'id'>[]): Promise<void> {
    this.engine.containers = containers.map((container, n) => ({
      ...container,
      id: idOf(`c${n.toString(16).padStart(4, '0')}`),
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
    this.#streams.get(name)?.write(new Piece(lines, 'docker').stamped());
  }

  /**
   * A container logs without end, at most so many lines a second, and no more than are read.
   * @param logged called with each piece's number of lines
   * @returns when `signal` aborts
   */
  async flood(
    name: string,
    line: (n: number) => string,
    rate: number,
    signal: AbortSignal,
    logged: (lines: number) => void,
  ): Promise<void> {
    const piece = new Piece(
      Array.from({ length: linesOfPiece }, (_, n) => line(n)),
      'docker',
    );
    const stream = this.#streams.get(name)!;
    const begun = performance.now();
    let lines = 0;
    while (!signal.aborted) {
      const ahead = lines - ((performance.now() - begun) / 1000) * rate;
      if (ahead > 0) await delay(1);
      else {
        lines += linesOfPiece;
        logged(linesOfPiece);
        if (!stream.write(piece.stamped())) await drained(stream, signal);
      }
    }
  }
}

async function drained(stream: ServerResponse, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    stream.once('drain', resolve);
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
