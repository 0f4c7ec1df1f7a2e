import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Dock2banError, messageOf } from '../errors.ts';
import { Wake } from '../wake.ts';
import { PathWatcher } from './path-watcher.ts';
import { TailedFile } from './tailed-file.ts';

/**
 * `lines`: one or more whole lines, each ended by one `\n`, valid until the next update is asked for. `lost` comes once when the file can't be read
 * (also at the start), `resumed` once when it can be again.
 */
export type TailUpdate =
  | {
      readonly type: 'lines';
      readonly bytes: Buffer;
      /** False for what stood in the file when it was opened at the start. */
      readonly live: boolean;
    }
  | { readonly type: 'lost'; readonly error: Dock2banError }
  | { readonly type: 'resumed' };

export interface TailOptions {
  readonly signal: AbortSignal;
  /** Where to begin in a file that is there at the start; one that comes later is read from its start. */
  readonly from: 'start' | 'end';
}

/**
 * Milliseconds until the next look: right after data, so that one read takes the lines of a flood together; while more
 * may follow; when no event will tell of new data; at rest.
 */
const gap = { busy: 1, alert: 5, unwatched: 100, idle: 1_000 };
/** Milliseconds without data or event until the alert is over. */
const quietAfter = 200;
/** So many looks in a row that found data are a flood: until one second after it, no events are needed. */
const floodStreak = 50;
const floodMemory = 1_000;
/** Milliseconds that a path may be without a file until it is lost: rotation renames first and creates then. */
const rotationGrace = 2_000;

/**
 * Follows the file at a path: growth, rename and creation (logrotate), truncation (copytruncate), deletion and
 * re-creation. A renamed or deleted file is read on until its successor has something in it, so that nothing is lost of
 * what its writer still puts into it. The file is read only when the consumer asks for more. Ends when `signal` aborts;
 * never throws.
 *
 * Chokidar's events wake it; after each it looks every few milliseconds until it is quiet, and each second in any case,
 * as events get lost and some file systems have none.
 */
export async function* tailFile(
  path: string,
  { signal, from }: TailOptions,
): AsyncGenerator<TailUpdate, void, undefined> {
  const wake = new Wake();
  const watcher = new PathWatcher(path, () => wake.set());
  const tail = new Tail(path, from);
  let activeAt = -Infinity;
  let streak = 0;
  let floodAt = -Infinity;
  try {
    while (!signal.aborted) {
      wake.clear();
      const { update, state } = await tail.look();
      if (update) yield update;
      if (state === 'behind') continue;
      const now = performance.now();
      streak = state === 'grown' ? streak + 1 : 0;
      if (streak >= floodStreak) floodAt = now;
      if (now - floodAt <= floodMemory) watcher.pause();
      else watcher.resume();
      if (state === 'grown') {
        activeAt = now;
        await new Wake().wait(gap.busy, signal);
      } else {
        const isQuiet = now - activeAt > quietAfter && now - floodAt > floodMemory;
        const rest = watcher.reliable && state === 'watched' ? gap.idle : gap.unwatched;
        if (await wake.wait(isQuiet ? rest : gap.alert, signal)) activeAt = performance.now();
      }
    }
  } finally {
    await tail.close();
    await watcher.close();
  }
}

/**
 * What a look found, and what that means for the next. `behind`: there is more to read right now; `grown`: there was
 * something; `watched`: nothing new, and events will tell; `unwatched`: nothing new, and no event tells of this file.
 */
interface Look {
  readonly update?: TailUpdate;
  readonly state: 'behind' | 'grown' | 'watched' | 'unwatched';
}

class Tail {
  readonly #path: string;
  /** Reading what stood in the first file when it was opened. */
  #inBacklog = true;
  #openFrom: 'start' | 'end';
  #file: TailedFile | undefined;
  /** The successor has data, so this file's writer has left it: what is there now is all there will be. */
  #leaving = false;
  #lost = false;
  /** Since when there is no readable file at the path, by performance.now(); at the start there never was. */
  #absentSince: number | undefined = -Infinity;

  constructor(path: string, from: 'start' | 'end') {
    this.#path = path;
    this.#openFrom = from;
  }

  async look(): Promise<Look> {
    if (!this.#file) return this.#open();
    let bytes: Buffer | undefined;
    try {
      bytes = await this.#file.read();
    } catch (error) {
      // Whether what comes next is this file or another can't be known; better a gap than old lines for new.
      await this.#leave('end');
      return this.#absent(error);
    }
    if (bytes !== undefined) {
      const update = this.#lines(bytes);
      if (!this.#file.isBehind) this.#inBacklog = false;
      return { ...update, state: this.#file.isBehind ? 'behind' : 'grown' };
    }
    this.#inBacklog = false;
    if (this.#leaving) {
      bytes = this.#file.flush();
      await this.#leave('start');
      return { ...this.#lines(bytes), state: 'behind' };
    }
    let successor: Stats;
    try {
      successor = await stat(this.#path);
    } catch (error) {
      return this.#absent(error);
    }
    const isSame = this.#file.is(successor);
    this.#leaving = !isSame && successor.size > 0;
    return { ...this.#present(), state: this.#leaving ? 'behind' : isSame ? 'watched' : 'unwatched' };
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  async #open(): Promise<Look> {
    try {
      this.#file = await TailedFile.open(this.#path, this.#openFrom);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') {
        this.#openFrom = 'start';
        this.#inBacklog = false;
      }
      return this.#absent(error);
    }
    this.#openFrom = 'start';
    return { ...this.#present(), state: 'behind' };
  }

  async #leave(openFrom: 'start' | 'end'): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    this.#leaving = false;
    this.#openFrom = openFrom;
    await file?.close();
  }

  #lines(bytes: Buffer): { update?: TailUpdate } {
    return bytes.length === 0 ? {} : { update: { type: 'lines', bytes, live: !this.#inBacklog } };
  }

  #present(): { update?: TailUpdate } {
    this.#absentSince = undefined;
    if (!this.#lost) return {};
    this.#lost = false;
    return { update: { type: 'resumed' } };
  }

  #absent(error: unknown): Look {
    const now = performance.now();
    this.#absentSince ??= now;
    const isLong = now - this.#absentSince > rotationGrace;
    const state = this.#file && !isLong ? 'unwatched' : 'watched';
    if (this.#lost || !isLong) return { state };
    this.#lost = true;
    return { update: { type: 'lost', error: tailError(this.#path, error) }, state };
  }
}

const fixes: Readonly<Record<string, string>> = {
  ENOENT: "mount the host's log folder (not the file) into the container: -v /var/log:/var/log:ro",
  EACCES:
    'let dock2ban read it: group_add: ["4"] (adm, which owns the logs on Debian and Ubuntu), or cap_add: [DAC_READ_SEARCH]',
  ENOTFILE: 'name a log file',
};

function tailError(path: string, error: unknown): Dock2banError {
  const code = codeOf(error);
  const fix = fixes[code];
  const message =
    code === 'ENOENT'
      ? `${path} does not exist`
      : code === 'EACCES'
        ? `no permission to read ${path}`
        : `cannot read ${path}: ${messageOf(error)}`;
  return new Dock2banError('source-unreadable', message, { cause: error, ...(fix !== undefined && { fix }) });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
