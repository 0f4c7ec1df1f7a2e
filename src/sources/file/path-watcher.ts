import { basename } from 'node:path';
import { watch, type FSWatcher } from 'chokidar';

/**
 * Calls back soon after anything may have happened to the file at a path, also when there is none yet. Chokidar's own
 * `change` is throttled and may swallow what follows within milliseconds; its `raw` events are not.
 */
export class PathWatcher {
  readonly #path: string;
  readonly #onActivity: () => void;
  #watcher: FSWatcher | undefined;
  #closing: Promise<void> = Promise.resolve();
  #reliable = true;

  constructor(path: string, onActivity: () => void) {
    this.#path = path;
    this.#onActivity = onActivity;
    this.resume();
  }

  /** False once watching has failed (no inotify watches left, …): then only looking tells. */
  get reliable(): boolean {
    return this.#reliable;
  }

  /** Stops watching: chokidar examines the file at each event, which is dear while thousands a second tell nothing new. */
  pause(): void {
    const watcher = this.#watcher;
    this.#watcher = undefined;
    if (watcher) this.#closing = Promise.all([this.#closing, watcher.close()]).then(() => undefined);
  }

  /** Watches again, and calls back when it does: what happened before no event tells. */
  resume(): void {
    if (this.#watcher) return;
    const name = basename(this.#path);
    const watcher = watch(this.#path, { ignoreInitial: true, atomic: false });
    this.#watcher = watcher;
    watcher.on('ready', this.#onActivity);
    watcher.on('all', this.#onActivity);
    watcher.on('raw', (_event, changed) => {
      if (!changed || basename(changed) === name) this.#onActivity();
    });
    watcher.on('error', () => {
      this.#reliable = false;
    });
  }

  async close(): Promise<void> {
    this.pause();
    await this.#closing;
  }
}
