import { tailFile, type TailOptions } from '../../../src/sources/file/follow-file.ts';
import type { TailUpdate } from '../../../src/sources/file/tail-update.ts';

/** An event may get lost on a busy machine: then the file is looked at some seconds later. */
export const patience = { timeout: 15_000, interval: 5 };

/** Collects everything that a tail of a file yields. */
export class TailReader {
  readonly lines: string[] = [];
  readonly states: Exclude<TailUpdate, { type: 'lines' | 'begun' }>[] = [];
  /** Behind what was read last. */
  position: string | undefined;
  readonly #path: string;
  readonly #end = new AbortController();
  readonly #begun = Promise.withResolvers<void>();
  readonly #done: Promise<void>;

  /**
   * @param after position to resume after
   * @param within folders that no file may be outside of
   */
  constructor(path: string, from: TailOptions['from'], after?: string, within?: readonly string[]) {
    this.#path = path;
    this.position = after;
    this.#done = this.#collect(from, after, within);
  }

  /** Resolves when nothing is missed any more that is written from then on. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#done;
  }

  async #collect(
    from: TailOptions['from'],
    after: string | undefined,
    within: readonly string[] | undefined,
  ): Promise<void> {
    const { signal } = this.#end;
    const { resolve: onBegin } = this.#begun;
    const options = {
      signal,
      from,
      onBegin,
      ...(after !== undefined && { after }),
      ...(within && { within }),
    };
    for await (const update of tailFile(this.#path, options)) {
      if (update.type === 'lines' || update.type === 'begun') this.position = update.position;
      if (update.type === 'lines') this.lines.push(...update.bytes.toString().split('\n').slice(0, -1));
      else if (update.type !== 'begun') this.states.push(update);
    }
  }
}
