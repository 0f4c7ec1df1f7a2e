import { constants, type Stats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { LineBuffer } from './line-buffer.ts';

/** How many bytes before the position are read again, to see that they are still what they were. */
const overlapBytes = 64;
const nothing = Buffer.alloc(0);

/** One open file, read from a position on: the file itself, wherever its name may have gone. */
export class TailedFile {
  readonly #handle: FileHandle;
  readonly #stats: Stats;
  readonly #lines = new LineBuffer();
  readonly #overlap = Buffer.alloc(overlapBytes);
  /** The bytes that stood before `#position` when it was reached. */
  #before = Buffer.alloc(0);
  #position = 0;
  #isBehind = false;

  private constructor(handle: FileHandle, stats: Stats) {
    this.#handle = handle;
    this.#stats = stats;
  }

  /** @param from `end`: at the first line that begins after what is there now */
  static async open(path: string, from: 'start' | 'end'): Promise<TailedFile> {
    // A FIFO would otherwise block until someone writes.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = await handle.stat();
      if (!stats.isFile())
        throw Object.assign(new Error(`${path} is not a regular file`), { code: 'ENOTFILE' });
      const file = new TailedFile(handle, stats);
      if (from === 'end') await file.#seek(stats.size);
      return file;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Lines so far that were longer than 64 KiB, and cut. */
  get cutLines(): number {
    return this.#lines.cutLines;
  }

  /** Whether the last read took all that it had room for: there is more at once. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Whether these are the file's own: that it still has its name. */
  is(stats: Stats): boolean {
    return stats.ino === this.#stats.ino && stats.dev === this.#stats.dev;
  }

  /**
   * The next whole lines, each with its newline; empty if what was read ends no line; undefined if there is nothing new.
   * Valid until the next call. If the file was cut short, or cut short and written anew, it goes on from its start.
   */
  async read(): Promise<Buffer | undefined> {
    const before = this.#before;
    const overlap = this.#overlap.subarray(0, before.length);
    const free = this.#lines.free;
    const { bytesRead } = await this.#handle.readv([overlap, free], this.#position - before.length);
    if (bytesRead < before.length || !overlap.equals(before)) {
      this.#lines.restart();
      this.#position = 0;
      this.#before = Buffer.alloc(0);
      this.#isBehind = true;
      return nothing;
    }
    const count = bytesRead - before.length;
    this.#isBehind = count === free.length;
    if (count === 0) return undefined;
    this.#position += count;
    const fresh = free.subarray(Math.max(0, count - overlapBytes), count);
    this.#before = Buffer.concat([before, fresh]).subarray(-overlapBytes);
    return this.#lines.accept(count);
  }

  /** The last line, if it has no newline: for when the file will not grow any more. */
  flush(): Buffer {
    return this.#lines.flush();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  async #seek(position: number): Promise<void> {
    const length = Math.min(overlapBytes, position);
    const { buffer, bytesRead } = await this.#handle.read(Buffer.alloc(length), 0, length, position - length);
    this.#before = buffer.subarray(0, bytesRead);
    this.#position = position - length + bytesRead;
    if (this.#position > 0 && this.#before.at(-1) !== 0x0a) this.#lines.skipLine();
  }
}
