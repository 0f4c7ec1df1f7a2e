import { DockerLines, type LineBatch } from './lines.ts';
import { dockerStream, FrameDemuxer, type TakeMessage } from './frames.ts';
import type { DockerProgress } from './progress.ts';
import { RawLog } from './raw-log.ts';

/** Reads one log stream, from its bytes to lines that are new. */
export class DockerLogStream {
  readonly #lines: DockerLines;
  readonly #messages: RawLog | FrameDemuxer;
  #isWhole = true;

  /**
   * @param tty whether the container has a terminal: its stream has no frames then
   * @param isTail whether only the last messages of the log were asked for
   */
  constructor(tty: boolean, progress: DockerProgress, isTail = false) {
    this.#lines = new DockerLines(progress, tty, isTail);
    const take: TakeMessage = (stream, bytes, start, end) => {
      if (stream === dockerStream.engine) this.#lines.engineMessage(bytes, start, end);
      else this.#lines.message(stream === dockerStream.stderr ? 1 : 0, bytes, start, end);
    };
    this.#messages = tty ? new RawLog(take, () => this.#lines.endLine(0, true)) : new FrameDemuxer(take);
  }

  /** What stands in the stream and isn't the container's: the engine's error, or something that is no log. */
  get problem(): string | undefined {
    return this.#isWhole ? this.#lines.problem : 'its log has no frames';
  }

  /** @returns the lines that are new; undefined: none */
  accept(chunk: Buffer): LineBatch | undefined {
    this.#isWhole &&= this.#messages.accept(chunk);
    return this.#lines.drain();
  }

  /** The engine has ended the stream: what it had of a last line is all there is. */
  end(): LineBatch | undefined {
    if (this.#messages instanceof RawLog) this.#messages.end();
    this.#lines.flush();
    return this.#lines.drain();
  }
}
