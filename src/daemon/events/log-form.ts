import { logLine } from '../../text/log-line.ts';
import { plainText } from '../../text/plain-text.ts';
import type { LogFormat } from '../options.ts';
import { toFail2ban } from './fail2ban-format.ts';

/** What makes of an event's JSON line the line that is printed. */
export function logForm(format: LogFormat, colors: boolean): (json: string) => string {
  switch (format) {
    case 'text':
      return (json) => logLine(JSON.parse(json), colors);
    case 'json':
      // A terminal shows it, too.
      return plainText;
    case 'fail2ban':
      return toFail2ban;
  }
}
