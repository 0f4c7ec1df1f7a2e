import { readFile, stat } from 'node:fs/promises';
import { type ConfFile, parseConfFile } from './conf-file.ts';

interface Known {
  readonly version: string;
  readonly file: ConfFile;
}

/** Milliseconds: a file that was written so shortly before it was read may be written again without another time. */
const settling = 2000;

/** Reads and parses configuration files; those that have not changed since they were read last are not read again. */
export class ConfFileCache {
  #known = new Map<string, Known>();
  #used = new Map<string, Known>();

  /** @throws what reading throws, and TypeError if it is not UTF-8 */
  async read(path: string): Promise<ConfFile> {
    const { mtimeMs, ctimeMs, size, ino, dev } = await stat(path);
    const version = [mtimeMs, ctimeMs, size, ino, dev].join();
    const known = this.#known.get(path);
    if (known?.version === version) {
      this.#used.set(path, known);
      return known.file;
    }
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
    const file = parseConfFile(text, path);
    if (Date.now() - Math.max(mtimeMs, ctimeMs) > settling) this.#used.set(path, { version, file });
    return file;
  }

  /** Forgets the files that were not read since the last time. */
  sweep(): void {
    this.#known = this.#used;
    this.#used = new Map();
  }
}
