import { pino, type DestinationStream, type Logger } from 'pino';
import { fail2banStream } from './fail2ban-format.ts';
import { wantsColors } from '../colors.ts';
import { prettyLog } from '../pretty-log.ts';
import type { LogFormat, LogLevel } from './options.ts';

export type { Logger } from 'pino';

/** A logger whose last lines can be waited for. */
export interface OpenLog {
  readonly logger: Logger;
  /** Resolves when everything logged has been written. */
  readonly flush: () => Promise<void>;
}

/** The product's log: one line an event on stdout. */
export async function openLog(format: LogFormat, level: LogLevel): Promise<OpenLog> {
  const stdout = pino.destination({ dest: 1, sync: false, minLength: 0 });
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
      return stdout;
    case 'fail2ban':
      return fail2banStream(stdout);
    case 'pretty': {
      const pretty = await prettyLog(wantsColors(process.stdout, process.env));
      return { write: (line: string) => stdout.write(pretty(line)) };
    }
  }
}
