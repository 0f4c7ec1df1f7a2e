import { DockerLines, type LineBatch } from './lines.ts';
import { dockerStream, FrameDemuxer } from './frames.ts';
import type { DockerProgress } from './progress.ts';
import { RawLog } from './raw-log.ts';

/** Reads one log stream, from its bytes to lines that are new. */
export class DockerLogStream {
  readonly #lines: DockerLines;
  readonly #raw: RawLog | undefined;
  readonly #frames: FrameDemuxer | undefined;
  #isWhole = true;

  /**
   * @param tty whether the container has a terminal: its stream has no frames then
   * @param isTail whether only the last messages of the log were asked for
   */
  constructor(tty: boolean, progress: DockerProgress, isTail = false) {
    this.#lines = new DockerLines(progress, tty, isTail);
    if (tty) {
      this.#raw = new RawLog(
        (_stream, bytes, start, end) => this.#lines.message(0, bytes, start, end),
        () => this.#lines.endLine(0, true),
      );
    } else {
      this.#frames = new FrameDemuxer((stream, bytes, start, end) => {
        if (stream === dockerStream.engine) this.#lines.engineMessage(bytes, start, end);
        else this.#lines.message(stream === dockerStream.stderr ? 1 : 0, bytes, start, end);
      });
    }
  }

  /** What stands in the stream and isn't the container's: the engine's error, or something that is no log. */
  get problem(): string | undefined {
    return this.#isWhole ? this.#lines.problem : 'its log has no frames';
  }

  /** @returns the lines that are new; undefined: none */
  accept(chunk: Buffer): LineBatch | undefined {
    if (this.#raw) this.#raw.accept(chunk);
    else this.#isWhole &&= this.#frames!.accept(chunk);
    return this.#lines.drain();
  }

  /** The engine has ended the stream: what it had of a last line is all there is. */
  end(): LineBatch | undefined {
    this.#raw?.end();
    this.#lines.flush();
    return this.#lines.drain();
  }
}
