import { pino, type DestinationStream, type Logger } from 'pino';
import { fail2banStream } from './fail2ban-format.ts';
import { wantsColors } from '../../text/colors.ts';
import { plainText } from '../../text/plain-text.ts';
import { prettyLog } from '../../text/pretty-log.ts';
import type { LogFormat, LogLevel } from '../options.ts';

export type { Logger } from 'pino';

/** A logger whose last lines can be waited for. */
export interface OpenLog {
  readonly logger: Logger;
  /** Resolves when everything logged has been written. */
  readonly flush: () => Promise<void>;
}

/** Characters that wait for whoever reads the log, while they don't: what is logged beyond is counted instead. */
const mostWaiting = 16 * 1024 * 1024;

/** The product's log: one line an event on stdout. While nobody reads it, up to 16 MiB wait; `log-dropped` says how much was lost then. */
export async function openLog(format: LogFormat, level: LogLevel): Promise<OpenLog> {
  // Each write takes a turn of the event loop, so many events are written at once: no more than a pipe holds.
  const stdout = pino.destination({
    dest: 1,
    sync: false,
    minLength: 0,
    maxWrite: 64 * 1024,
    maxLength: mostWaiting,
  });
  const destination = await formatted(format, stdout);
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
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

async function formatted(format: LogFormat, stdout: DestinationStream): Promise<DestinationStream> {
  switch (format) {
    case 'json':
      // A terminal shows it, too.
      return { write: (line: string) => stdout.write(plainText(line)) };
    case 'fail2ban':
      return fail2banStream(stdout);
    case 'pretty': {
      const pretty = await prettyLog(wantsColors(process.stdout, process.env));
      return { write: (line: string) => stdout.write(pretty(line)) };
    }
  }
}
