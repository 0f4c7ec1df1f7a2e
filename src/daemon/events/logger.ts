import { pino, type Logger } from 'pino';
import { wantsColors } from '../../text/colors.ts';
import type { LogFormat, LogLevel } from '../options.ts';
import { logForm } from './log-form.ts';

export type { Logger } from 'pino';

/** A logger whose last lines can be waited for. */
export interface ProductLog {
  readonly logger: Logger;
  /** Resolves when everything logged has been written. */
  readonly flush: () => Promise<void>;
}

/** Characters that wait while nobody reads the log: what is logged beyond is counted instead. */
const mostWaiting = 16 * 1024 * 1024;

/** The product's log: one line an event on stdout. While nobody reads it, up to 16 MiB wait; `log-dropped` says how much was lost then. */
export function openLog(format: LogFormat, level: LogLevel): ProductLog {
  // Each write takes a turn of the event loop, so many events are written at once: no more than a pipe holds.
  const stdout = pino.destination({
    dest: 1,
    sync: false,
    minLength: 0,
    maxWrite: 64 * 1024,
    maxLength: mostWaiting,
  });
  const form = logForm(format, wantsColors(process.stdout, process.env));
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (json: string) => stdout.write(form(json)) },
  );
  // A log that can't be written, on a full disk, ends nothing; nor is it waited for at the end of the process, which would be for ever.
  const flushSync = stdout.flushSync.bind(stdout);
  stdout.on('error', () => (stdout.flushSync = () => undefined));
  let dropped = 0;
  stdout.on('drop', () => (dropped += 1));
  stdout.on('drain', () => {
    stdout.flushSync = flushSync;
    if (dropped === 0) return;
    const events = dropped;
    dropped = 0;
    logger.warn({ event: 'log-dropped', events }, `${events} events are missing here: nobody read this log`);
  });
  return {
    logger,
    flush: () =>
      new Promise((resolve) => {
        stdout.flush(() => resolve());
      }),
  };
}
