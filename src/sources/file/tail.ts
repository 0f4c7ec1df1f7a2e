import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type FilePosition, parsePosition } from './file-position.ts';
import { openRotated, type RotatedFiles } from './rotated-files.ts';
import { TailedFile } from './tailed-file.ts';
import { codeOf, tailError, type TailLook, type TailUpdate } from './tail-update.ts';

/** Milliseconds that a path may be without a file until it is lost: rotation renames first and creates then. */
const rotationGrace = 2_000;

/** Files that were read last, and are remembered so that none is taken for a new one. */
const mostKnown = 64;

/** The log at a path, file after file, as far as it has come at each look. */
export class Tail {
  readonly #path: string;
  readonly #within: readonly string[] | undefined;
  /** Reading what was logged before the file was opened at the start. */
  #inBacklog = true;
  #openFrom: 'start' | 'end';
  /** To be found again when a file is opened next. */
  #after: FilePosition | undefined;
  #file: TailedFile | undefined;
  /** What follows the file, to be read when it is done. */
  #next: TailedFile[] = [];
  /** The file is a copy: what comes next goes on where it ends. */
  #isCopy = false;
  /** The successor has data, so this file's writer has left it: what is there now is all there will be. */
  #leaving = false;
  /** The last look found nothing new. */
  #isQuiet = false;
  /** The file stands at the path, and is yet to prove that it can be read. */
  #isUnproven = false;
  /** Cut lines that were told, of the file that they are of. */
  #told: { readonly file: TailedFile; readonly cutLines: number } | undefined;
  #lost = false;
  /** Since when there is no readable file at the path, by performance.now(); at the start there never was. */
  #absentSince: number | undefined = -Infinity;
  /** Keys of the files that were read last. */
  readonly #known = new Set<string>();
  #updates: TailUpdate[] = [];

  /**
   * @param after position to resume after
   * @param within folders that the file may not be outside of
   */
  constructor(path: string, from: 'start' | 'end', after: string | undefined, within?: readonly string[]) {
    this.#within = within;
    this.#path = path;
    this.#openFrom = from;
    if (after === undefined) return;
    this.#after = parsePosition(after);
    if (!this.#after) this.#updates.push({ type: 'position-invalid', position: after });
  }

  /** @param most bytes to read of a file */
  async look(most?: number): Promise<TailLook> {
    let state: TailLook['state'];
    try {
      state = await this.#look(most);
    } catch (error) {
      // What was read is found again, wherever it is then.
      this.#after = this.#file?.place ?? this.#after;
      await this.#leave();
      state = this.#absent(error);
    }
    const updates = this.#updates;
    this.#updates = [];
    return { updates, state };
  }

  async close(): Promise<void> {
    await this.#leave();
  }

  async #look(most: number | undefined): Promise<TailLook['state']> {
    const file = this.#file;
    if (!file) return this.#open();
    if (this.#isQuiet) {
      const stats = await stat(this.#path).catch(() => undefined);
      if (stats && file.isUnchanged(stats)) return 'watched';
      this.#isQuiet = false;
    }
    const place = file.isAtStart ? file.place : undefined;
    const bytes = await file.read(most);
    // It may have been written, copied and cut short since the last look, of which the file itself shows nothing.
    if (place && Buffer.isBuffer(bytes)) {
      const { files } = await this.#openRotated(place, file);
      if (files.length > 0) {
        file.putBack(bytes);
        this.#follow([...files, file, ...this.#next], true);
        return 'behind';
      }
    }
    if (this.#isUnproven) this.#present();
    this.#isUnproven = false;
    if (bytes === 'cut') return this.#restart(file);
    if (bytes !== undefined) {
      this.#give(file, bytes);
      if (!file.isBehind && this.#next.length === 0) this.#inBacklog = false;
      return file.isBehind ? 'behind' : 'grown';
    }
    if (this.#next.length > 0) return this.#step(file);
    this.#inBacklog = false;
    if (this.#leaving) return this.#succeed(file);
    let successor: Stats;
    try {
      successor = await stat(this.#path);
    } catch (error) {
      return this.#absent(error);
    }
    const isSame = file.is(successor);
    if (isSame) file.noteEnd(successor);
    this.#isQuiet = isSame;
    this.#leaving = !isSame && successor.size > 0;
    this.#present();
    return this.#leaving ? 'behind' : isSame ? 'watched' : 'unwatched';
  }

  async #open(): Promise<TailLook['state']> {
    let file: TailedFile | undefined;
    let error: unknown;
    try {
      file = await TailedFile.open(this.#path, 0, this.#within);
    } catch (thrown) {
      error = thrown;
    }
    let found: RotatedFiles | undefined;
    try {
      found = this.#after && (await this.#resume(this.#after, file));
      if (!this.#after && this.#openFrom === 'end') await file?.seekEnd();
      else if (!this.#after) await file?.prefetch();
    } catch (thrown) {
      await file?.close();
      throw thrown;
    }
    if (found && (file || found.files.length > 0)) {
      if (!found.isComplete) this.#updates.push({ type: 'gap', reason: 'gone' });
      this.#after = undefined;
      this.#follow([...found.files, ...(file ? [file] : [])], found.isCopy);
    } else if (file) {
      this.#follow([file], false);
      if (this.#openFrom === 'end') this.#updates.push({ type: 'begun', position: file.position });
    } else {
      if (codeOf(error) === 'ENOENT' && !this.#after) {
        this.#openFrom = 'start';
        this.#inBacklog = false;
      }
      return this.#absent(error);
    }
    this.#openFrom = 'start';
    this.#isUnproven = file !== undefined;
    return 'behind';
  }

  /**
   * Finds a place again: in the file at the path, which then stands there, or in what rotation made of it.
   * @returns what is to be read before the file at the path
   */
  async #resume(place: FilePosition, file: TailedFile | undefined): Promise<RotatedFiles> {
    const isHere = file !== undefined && (await file.fits(place));
    if (isHere) await file.seek(place);
    const nothing = { files: [], isComplete: true, isCopy: false };
    if (isHere && file.ino === place.ino) return nothing;
    if (!isHere) await file?.prefetch();
    const rotated = await this.#openRotated(place, file);
    if (!isHere) return rotated;
    if (rotated.isComplete && !rotated.isCopy) {
      // Both begin with the same lines.
      file.restart();
      return rotated;
    }
    // The same contents under another number: the file was restored, or copied to its place.
    await Promise.all(rotated.files.map((one) => one.close()));
    return nothing;
  }

  /** The file was cut short: the rest of what was in it may stand in a copy. */
  async #restart(file: TailedFile): Promise<TailLook['state']> {
    const { place, endsInLine } = file;
    file.restart();
    await file.prefetch();
    const rotated = await this.#openRotated(place, file);
    if (!rotated.isComplete) {
      // Read by itself, the rest of a line could pass for one of somebody else.
      if (endsInLine) file.skipLine();
      this.#updates.push({ type: 'gap', reason: 'truncated' });
    }
    this.#follow([...rotated.files, file, ...this.#next], rotated.isCopy);
    return 'behind';
  }

  /** The file's writer has left it for another. */
  async #succeed(file: TailedFile): Promise<TailLook['state']> {
    let successor: TailedFile;
    try {
      successor = await TailedFile.open(this.#path, 0, this.#within);
    } catch (error) {
      return this.#absent(error);
    }
    this.#leaving = false;
    if (successor.is(file.place)) {
      await successor.close();
      return 'behind';
    }
    let rotated: RotatedFiles;
    try {
      await successor.prefetch();
      rotated = await this.#openRotated(file.place, successor);
    } catch (error) {
      await successor.close();
      throw error;
    }
    const { files, isComplete, isCopy } = rotated;
    // The renamed file is among the files, or a copy: so its last line is read again there.
    if (!isComplete) this.#end(file, false);
    await file.close();
    this.#follow([...files, successor], isCopy);
    this.#present();
    return 'behind';
  }

  /** Goes on to the next file. */
  async #step(file: TailedFile): Promise<TailLook['state']> {
    this.#end(file, this.#isCopy);
    await file.close();
    this.#follow(this.#next, this.#isCopy);
    return 'behind';
  }

  /** @param goesOn whether the next file begins with the rest of this one's last line, which then is whole in none */
  #end(file: TailedFile, goesOn: boolean): void {
    if (!file.endsInLine) return;
    if (goesOn) this.#next[0]?.skipLine();
    else this.#give(file, file.flush());
  }

  /** As `openRotated`. What is still empty after that has no copy among the files that is being made. */
  async #openRotated(place: FilePosition, until: TailedFile | undefined): Promise<RotatedFiles> {
    for (;;) {
      const isUnread = until?.isAtStart ?? false;
      const rotated = await openRotated(this.#path, place, until, this.#known, this.#within);
      if (!isUnread) return rotated;
      await until?.prefetch();
      if (until?.isAtStart) return rotated;
      await Promise.all(rotated.files.map((file) => file.close()));
    }
  }

  #follow(files: readonly TailedFile[], isCopy: boolean): void {
    const [file, ...next] = files;
    for (const { key } of files) {
      this.#known.delete(key);
      this.#known.add(key);
      if (this.#known.size > mostKnown) this.#known.delete(this.#known.values().next().value!);
    }
    this.#file = file;
    this.#next = next;
    this.#isCopy = isCopy && next.length > 0;
  }

  async #leave(): Promise<void> {
    const files = [...(this.#file ? [this.#file] : []), ...this.#next];
    this.#file = undefined;
    this.#next = [];
    this.#leaving = false;
    await Promise.all(files.map((file) => file.close()));
  }

  #give(file: TailedFile, bytes: Buffer): void {
    if (bytes.length === 0) return;
    const { position, cuts, cutLines: total } = file;
    const cutLines = total - (this.#told?.file === file ? this.#told.cutLines : 0);
    this.#told = { file, cutLines: total };
    this.#updates.push({ type: 'lines', bytes, live: !this.#inBacklog, position, cuts, cutLines });
  }

  #present(): void {
    this.#absentSince = undefined;
    if (!this.#lost) return;
    this.#lost = false;
    this.#updates.push({ type: 'resumed' });
  }

  #absent(error: unknown): TailLook['state'] {
    const now = performance.now();
    this.#absentSince ??= now;
    const isLong = now - this.#absentSince > rotationGrace;
    if (isLong && !this.#lost) {
      this.#lost = true;
      this.#updates.push({ type: 'lost', error: tailError(this.#path, error) });
    }
    return this.#file && !isLong ? 'unwatched' : 'absent';
  }
}
