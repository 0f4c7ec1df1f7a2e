import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A journalctl that runs. */
export interface JournalProcess {
  readonly output: AsyncIterable<Buffer>;
  /** What it said on standard error, or why it couldn't be started; resolves when it has ended. Never rejects. */
  readonly ended: Promise<JournalEnd>;
  /** Ends it. */
  kill(): void;
}

export interface JournalEnd {
  /** Its last words. */
  readonly message: string;
  /** There is no such program. */
  readonly isMissing: boolean;
  /** It did what it was asked for. */
  readonly isDone: boolean;
}

/** Starts journalctl with these arguments, without a shell. */
export type StartJournalctl = (args: readonly string[]) => JournalProcess;

/** Bytes of its standard error that are kept. */
const mostWords = 2048;

/** The system's own journalctl. */
export const systemJournalctl: StartJournalctl = (args) => {
  // Messages are understood by their text, so they must come untranslated.
  const env = { PATH: process.env['PATH'], LC_ALL: 'C', SYSTEMD_PAGER: '', SYSTEMD_COLORS: '0' };
  const child = spawn('journalctl', args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-mostWords);
  });
  const ended = once(child, 'close').then(
    ([code, signal]: unknown[]): JournalEnd => {
      const how = `journalctl ended ${typeof signal === 'string' ? `by ${signal}` : `with exit code ${String(code)}`}`;
      const message = words.trim() === '' ? how : `${how}: ${words.trim()}`;
      return { message, isMissing: false, isDone: code === 0 };
    },
    (error: unknown): JournalEnd => ({
      message: String(error),
      isMissing: error instanceof Error && 'code' in error && error.code === 'ENOENT',
      isDone: false,
    }),
  );
  return { output: child.stdout, ended, kill: () => void child.kill() };
};
