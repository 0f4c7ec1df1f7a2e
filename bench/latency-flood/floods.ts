import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LogEngine } from '../docker-log/engine.ts';
import { request } from '../docker-log/request.ts';
import type { Written } from './writer.ts';

/** A log that somebody writes without end. */
export interface Flood {
  /** What was written so far; lines in frames have no bytes of their own. */
  readonly written: { readonly lines: number; readonly bytes: number };
  stop(): Promise<void>;
}

/** A process that writes a file. */
export class FileFlood implements Flood {
  written: Written = { lines: 0, bytes: 0 };
  readonly #writer: ChildProcess;

  /** @param program whose lines a syslog daemon would write there; undefined: the lines stand alone */
  constructor(path: string, rate: number, program?: string) {
    const args = [path, String(rate), ...(program === undefined ? [] : [program])];
    this.#writer = fork(fileURLToPath(new URL('writer.ts', import.meta.url)), args);
    this.#writer.on('message', (written: Written) => void (this.written = written));
  }

  async stop(): Promise<void> {
    const exit = once(this.#writer, 'exit');
    this.#writer.kill();
    await exit;
  }
}

/** A container whose log the engine sends, no faster than it is read. */
export class DockerFlood implements Flood {
  readonly written = { lines: 0, bytes: 0 };
  readonly #stop = new AbortController();
  readonly #done: Promise<unknown>;

  constructor(engine: LogEngine, name: string, rate: number) {
    const take = (lines: number): void => void (this.written.lines += lines);
    this.#done = engine.flood(name, request, rate, this.#stop.signal, take);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }
}
