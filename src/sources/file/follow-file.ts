import { Wake } from '../../async/wake.ts';
import { PathWatcher } from './path-watcher.ts';
import { ReadSize } from './read-size.ts';
import { Tail } from './tail.ts';
import type { TailUpdate } from './tail-update.ts';

export interface TailOptions {
  readonly signal: AbortSignal;
  /** Where to begin in a file that is there at the start; one that comes later is read from its start. */
  readonly from: 'start' | 'end';
  /**
   * Position to resume after, wherever rotation has put that file since: its rest is read first, then what was rotated after it,
   * then the file at the path. If it isn't there any more, `gap` says so, and the file at the path is read from its start.
   */
  readonly after?: string;
  /** Folders that the file may not be outside of, wherever links lead. */
  readonly within?: readonly string[];
  /** Look again and again instead of waiting for the kernel's notice. */
  readonly polling?: boolean;
  /** Called once, when it is settled from where the file is read: what is logged from then on is not missed. */
  readonly onBegin?: () => void;
}

/**
 * Milliseconds until the next look: right after data, so that one read takes the lines of a flood together; while more
 * may follow; when no event will tell of new data; at rest, and when that has lasted and events do tell.
 */
const gap = { busy: 1, alert: 5, unwatched: 100, idle: 1_000, longIdle: 4_000 };
/** Milliseconds without data or event until the alert is over. */
const quietAfter = 200;
/** So many looks in a row that found data are a flood: until one second after it, no events are needed. */
const floodStreak = 50;
const floodMemory = 1_000;

/**
 * Follows the file at a path: growth, rename and creation (logrotate), truncation (copytruncate), deletion and
 * re-creation. A renamed or deleted file is read on until its successor has something in it, so that nothing is lost of
 * what its writer still puts into it. The file is read only when the consumer asks for more. Ends when `signal` aborts;
 * never throws.
 *
 * Chokidar's events wake it; after each it looks every few milliseconds until it is quiet. It looks in any case each second, and
 * while nothing happens each four, as events get lost and some file systems have none: where one was missed, each second from
 * then on, until one comes.
 */
export async function* tailFile(
  path: string,
  { signal, from, after, polling = false, onBegin, within }: TailOptions,
): AsyncGenerator<TailUpdate, void, undefined> {
  const wake = new Wake();
  const watcher = polling ? undefined : new PathWatcher(path, () => wake.set());
  const tail = new Tail(path, from, after, within);
  const size = new ReadSize();
  let begun = false;
  let activeAt = -Infinity;
  let streak = 0;
  let floodAt = -Infinity;
  let rest = gap.idle;
  /** How the last wait at rest ended. */
  let woken: boolean | undefined;
  /** The file has grown, and no event told. */
  let isSilent = false;
  try {
    while (!signal.aborted) {
      wake.clear();
      const { updates, state } = await tail.look(size.bytes);
      if (!begun) onBegin?.();
      begun = true;
      const given = performance.now();
      yield* updates;
      size.took(performance.now() - given, bytesIn(updates));
      if (woken !== undefined && (state === 'grown' || state === 'behind')) isSilent = !woken;
      woken = undefined;
      if (state === 'behind') continue;
      const now = performance.now();
      streak = state === 'grown' ? streak + 1 : 0;
      if (streak >= floodStreak) floodAt = now;
      if (now - floodAt <= floodMemory) watcher?.pause();
      else watcher?.resume();
      if (state === 'grown') {
        activeAt = now;
        await new Wake().wait(gap.busy, signal);
      } else if (now - activeAt <= quietAfter || now - floodAt <= floodMemory) {
        rest = gap.idle;
        if (await wake.wait(gap.alert, signal)) activeAt = performance.now();
      } else if (!watcher?.reliable || state === 'unwatched') {
        if (await wake.wait(gap.unwatched, signal)) activeAt = performance.now();
      } else {
        woken = await wake.wait(rest, signal);
        if (woken) activeAt = performance.now();
        rest = isSilent || state === 'absent' ? gap.idle : Math.min(2 * rest, gap.longIdle);
      }
    }
  } finally {
    await tail.close();
    await watcher?.close();
  }
}

function bytesIn(updates: readonly TailUpdate[]): number {
  return updates.reduce((sum, update) => sum + (update.type === 'lines' ? update.bytes.length : 0), 0);
}
