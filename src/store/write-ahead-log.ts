import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { plainFile } from './database-files.ts';

/**
 * Brings commits to the disk soon without making anyone wait. With `synchronous=NORMAL` a commit is safe from a crash of the process,
 * but reaches the disk when the kernel pleases, up to half a minute later: a power cut would lose the last bans. Syncing
 * the log from here takes no lock of SQLite's: those are on the other files.
 */
export class WriteAheadLog {
  readonly #path: string;
  readonly #pause: number;
  #handle: FileHandle | undefined;
  #wanted = false;
  #running = false;
  #closed = false;

  /** @param database the path of the database  @param pause milliseconds between two syncs */
  constructor(database: string, pause: number) {
    this.#path = `${database}-wal`;
    this.#pause = pause;
  }

  /** A commit was made. */
  committed(): void {
    this.#wanted = true;
    if (!this.#running) void this.#sync();
  }

  close(): void {
    this.#closed = true;
    if (!this.#running) void this.#release();
  }

  async #sync(): Promise<void> {
    this.#running = true;
    while (this.#wanted && !this.#closed) {
      this.#wanted = false;
      try {
        this.#handle ??= await open(this.#path, constants.O_RDONLY | plainFile);
        await this.#handle.datasync();
      } catch {
        // A disk that fails is told by the next write; a log that isn't there has nothing to sync.
      }
      if (!this.#closed) await delay(this.#pause, undefined, { ref: false });
    }
    this.#running = false;
    if (this.#closed) await this.#release();
  }

  async #release(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close().catch(() => undefined);
  }
}
