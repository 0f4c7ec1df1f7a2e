import { constants, fstatSync, type Stats } from 'node:fs';
import { open, readlink, realpath, type FileHandle } from 'node:fs/promises';
import { type FilePosition, fingerprint, formatPosition, headBytes, overlapBytes } from './file-position.ts';
import { LineBuffer } from './line-buffer.ts';
import { magicBytes, packedKind } from './packed-file.ts';

const none = Buffer.alloc(0);
const newline = 0x0a;

/** One open file, read from a place on: the file itself, wherever its name may have gone. */
export class TailedFile {
  readonly #handle: FileHandle;
  readonly #stats: Stats;
  readonly #lines = new LineBuffer();
  readonly #overlap = Buffer.alloc(overlapBytes);
  /** The bytes that stood before `#offset` when it was reached. */
  #before: Buffer = none;
  /** Up to where the file is read. */
  #offset = 0;
  /** Behind the last whole line, and the bytes before that. */
  #lineEnd: { readonly offset: number; readonly before: Buffer } = { offset: 0, before: none };
  /** What was read of its first 256 bytes. */
  #head: Buffer = none;
  #written: number;
  #isBehind = false;
  /** Lines that were read and are to be given out again. */
  #putBack: Buffer | undefined;
  #cuts: readonly number[] = [];

  private constructor(handle: FileHandle, stats: Stats) {
    this.#handle = handle;
    this.#stats = stats;
    this.#written = stats.mtimeMs;
  }

  /**
   * Opens a file, to be read from its start.
   * @param flags besides those for reading
   * @param within folders that it may not be outside of, wherever links lead
   * @throws what the system throws; with code `ENOTFILE`, `EPACKED` or `EOUTSIDE` what is no log
   */
  static async open(path: string, flags = 0, within?: readonly string[]): Promise<TailedFile> {
    // A FIFO would otherwise block until someone writes.
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | flags);
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw fault('ENOTFILE', `${path} is not a regular file`);
      // What is open is judged, not what the path leads to by now.
      if (within && !(await isWithin(await readlink(`/proc/self/fd/${handle.fd}`), within)))
        throw fault('EOUTSIDE', `${path} leads out of ${within.join(', ') || 'every folder of logs'}`);
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(magicBytes), 0, magicBytes, 0);
      const kind = packedKind(buffer.subarray(0, bytesRead));
      if (kind !== undefined) throw fault('EPACKED', `${path} is ${kind}`);
      return new TailedFile(handle, stats);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Lines so far that were longer than 256 KiB, and cut. */
  get cutLines(): number {
    return this.#lines.cutLines;
  }

  /** Where in the lines that were given out last something was left out. */
  get cuts(): readonly number[] {
    return this.#cuts;
  }

  /** Whether the last read took all that it had room for: there is more at once. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Whether the file ends, as far as it was read, in a line without a newline. */
  get endsInLine(): boolean {
    return this.#lines.held > 0 || this.#lines.inLine;
  }

  /** Behind the last whole line that was given out. */
  get place(): FilePosition {
    const { dev, ino } = this.#stats;
    const { offset, before } = this.#lineEnd;
    const head = this.#head.subarray(0, offset);
    return {
      dev,
      ino,
      offset,
      inLine: this.#lines.inLine,
      headLength: head.length,
      head: fingerprint(head),
      before: fingerprint(before),
      written: this.#written,
    };
  }

  /** `place` as text. */
  get position(): string {
    return formatPosition(this.place);
  }

  /** Whether nothing of it was read. */
  get isAtStart(): boolean {
    return this.#offset === 0;
  }

  /** Tells it from other files, also from one that gets its number when it is gone. */
  get key(): string {
    return keyOf(this.#stats);
  }

  get ino(): number {
    return this.#stats.ino;
  }

  /** When it was written last, as far as that was noticed; epoch milliseconds. */
  get written(): number {
    return this.#written;
  }

  /** Whether these are the file's own: that it still has its name. */
  is({ ino, dev }: Pick<Stats, 'ino' | 'dev'>): boolean {
    return ino === this.#stats.ino && dev === this.#stats.dev;
  }

  /** Whether it is as it was read: by what the system says, which costs less than to read. */
  isUnchanged(stats: Stats): boolean {
    return this.is(stats) && stats.size === this.#offset && stats.mtimeMs === this.#written;
  }

  /**
   * Takes note that it was read to its end as it is now. An empty file may have been written, copied and cut short since it was
   * read: it stays as it was, so that the copy is found to be newer.
   */
  noteEnd({ size, mtimeMs }: Stats): void {
    if (size > 0 && size === this.#offset) this.#written = mtimeMs;
  }

  /** Whether up to a place its contents are those of the file that the place is in. */
  async fits({ offset, headLength, head, before }: FilePosition): Promise<boolean> {
    const length = Math.min(overlapBytes, offset);
    const last = await this.#bytes(offset - length, length);
    if (last.length < length || fingerprint(last) !== before) return false;
    const first = await this.#bytes(0, headLength);
    return first.length === headLength && fingerprint(first) === head;
  }

  /** Whether it may be a copy, or the beginning of one that is being made, of what was read of another file. */
  async mayCopy(other: TailedFile): Promise<boolean> {
    if (other.isAtStart) return false;
    if (await this.fits(other.place)) return true;
    const start = await this.#bytes(0, other.#head.length);
    return (await this.size()) < other.#offset && start.equals(other.#head.subarray(0, start.length));
  }

  /** In bytes. */
  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  /** Goes to a place that fits. */
  async seek({ offset, inLine }: Pick<FilePosition, 'offset' | 'inLine'>): Promise<void> {
    const length = Math.min(overlapBytes, offset);
    this.#goTo(offset, await this.#bytes(offset - length, length));
    if (inLine) this.#lines.skipLine();
    this.#head = await this.#bytes(0, Math.min(headBytes, offset));
  }

  /** Goes to the first line that begins after what is there now. */
  async seekEnd(): Promise<void> {
    const size = await this.size();
    await this.seek({ offset: size, inLine: false });
    if (size > 0 && this.#before.at(-1) !== newline) this.#lines.skipLine();
  }

  /** Passes over the rest of a line, which comes next. */
  skipLine(): void {
    const bytes = this.#putBack;
    const end = bytes ? bytes.indexOf(newline) + 1 : 0;
    if (end > 0) {
      this.#putBack = bytes!.subarray(end);
      this.#cuts = this.#cuts.flatMap((cut) => (cut < end ? [] : cut - end));
    } else this.#lines.skipLine();
  }

  /** What the last read gave is given again by the next. */
  putBack(bytes: Buffer): void {
    this.#putBack = bytes;
  }

  /** Reads what is at the start now, for the next read to give it out: being cut short no longer goes unnoticed. */
  async prefetch(): Promise<void> {
    const bytes = await this.read();
    if (Buffer.isBuffer(bytes)) this.#putBack = bytes;
  }

  /**
   * The next whole lines, each with its newline; empty if what was read ends no line; undefined if there is nothing new;
   * `cut` if the file was cut short, or cut short and written anew. Valid until the next call.
   * @param most bytes to read; by default all that there is room for
   */
  async read(most = Infinity): Promise<Buffer | 'cut' | undefined> {
    const putBack = this.#putBack;
    this.#putBack = undefined;
    if (putBack) return putBack;
    const before = this.#before;
    const overlap = this.#overlap.subarray(0, before.length);
    const { free: room } = this.#lines;
    const free = room.subarray(0, Math.min(most, room.length));
    const { bytesRead } = await this.#handle.readv([overlap, free], this.#offset - before.length);
    if (bytesRead < before.length || !overlap.equals(before)) return 'cut';
    const count = bytesRead - before.length;
    this.#isBehind = count === free.length;
    if (count === 0) return undefined;
    // To be taken before the lines are: long ones are cut in place.
    const end = free.subarray(0, count).lastIndexOf(newline) + 1;
    if (end > 0) this.#lineEnd = { offset: this.#offset + end, before: ending(before, free, end) };
    if (this.#offset < headBytes) {
      const more = free.subarray(0, Math.min(count, headBytes - this.#offset));
      this.#head = Buffer.concat([this.#head, more]);
    }
    this.#before = ending(before, free, count);
    this.#offset += count;
    const bytes = this.#lines.accept(count);
    this.#cuts = this.#lines.cuts;
    if (this.#lines.inLine) this.#lineEnd = { offset: this.#offset, before: this.#before };
    // Asked for in place: that takes two microseconds, a turn around the thread pool twenty.
    this.#written = fstatSync(this.#handle.fd).mtimeMs;
    return bytes;
  }

  /** Goes on from the start, after the file was cut short. */
  restart(): void {
    this.#lines.clear();
    this.#goTo(0, none);
    this.#head = none;
    this.#isBehind = true;
  }

  /** The last line, if it has no newline: for when the file will not grow any more. */
  flush(): Buffer {
    this.#lineEnd = { offset: this.#offset, before: this.#before };
    const bytes = this.#lines.flush();
    this.#cuts = this.#lines.cuts;
    return bytes;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  #goTo(offset: number, before: Buffer): void {
    this.#offset = offset;
    this.#before = before;
    this.#lineEnd = { offset, before };
  }

  async #bytes(from: number, length: number): Promise<Buffer> {
    const { buffer, bytesRead } = await this.#handle.read(Buffer.alloc(length), 0, length, from);
    return buffer.subarray(0, bytesRead);
  }
}

/** `TailedFile.key` of a file that has these. */
export function keyOf({ ino, birthtimeMs }: Pick<Stats, 'ino' | 'birthtimeMs'>): string {
  return `${ino} ${birthtimeMs}`;
}

/** The last `overlapBytes` of what was before and the first `count` of what is new. */
function ending(before: Buffer, fresh: Buffer, count: number): Buffer {
  const last = fresh.subarray(Math.max(0, count - overlapBytes), count);
  return Buffer.concat([before, last]).subarray(-overlapBytes);
}

async function isWithin(path: string, folders: readonly string[]): Promise<boolean> {
  const real = await Promise.all(folders.map((folder) => realpath(folder).catch(() => folder)));
  return real.some((folder) => path.startsWith(folder.endsWith('/') ? folder : `${folder}/`));
}

function fault(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
