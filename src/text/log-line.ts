import { styleText } from 'node:util';
import { localTime } from './local-time.ts';
import { oneLine } from './plain-text.ts';

/** An event as it is logged: what its line needs of it. */
export interface LoggedEvent {
  /** ISO 8601. */
  readonly time: string;
  readonly level: string;
  readonly msg?: string;
  readonly event?: string;
  readonly container?: string;
  readonly failures?: number;
  readonly reason?: string;
  /** ISO 8601; null: for ever. */
  readonly until?: string | null;
  readonly err?: { readonly type?: string; readonly stack?: string };
}

const colorOf: Readonly<Record<string, 'yellow' | 'red'>> = { warn: 'yellow', error: 'red', fatal: 'red' };

/** `2026-11-22 13:44:53 INFO  [nginx-proxy] Ban 203.0.113.7 (5 failures, container web, until 2026-11-22 13:54:53)`, with its line break. */
export function logLine(event: LoggedEvent, colors: boolean): string {
  const time = localTime(new Date(event.time));
  const name = event.level.toUpperCase().padEnd(5);
  const color = colors ? colorOf[event.level] : undefined;
  const level = color === undefined ? name : styleText(color, name, { validateStream: false });
  // When it was logged, unless that was at once.
  const said = (event.msg ?? '').replace(event.event === 'found' ? ` - ${time}` : '', '');
  const more = details(event).join(', ');
  return `${time} ${level} ${oneLine(said + (more === '' ? '' : ` (${more})`))}\n`;
}

/** What the message, which is fail2ban's, doesn't say. */
function details({ event, container, failures, reason, until, err }: LoggedEvent): string[] {
  const where = container === undefined ? [] : [`container ${container}`];
  const end = until ? `until ${localTime(new Date(until))}` : 'permanent';
  switch (event) {
    case 'found':
      return [...(failures === undefined ? [] : [`failure ${failures}`]), ...where];
    case 'ban':
      return [
        failures === undefined ? 'by hand' : `${failures} failure${failures === 1 ? '' : 's'}`,
        ...where,
        end,
      ];
    case 'restore':
    case 'ban-resumed':
      return [end];
    case 'unban':
      return reason === undefined ? [] : [reason];
    case 'fault':
    case 'failed':
      // Where to look for the fault: a Dock2banError says all in its message.
      return err?.type === 'Dock2banError' ? [] : framesOf(err?.stack);
    default:
      return [];
  }
}

function framesOf(stack = ''): string[] {
  return stack
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at '))
    .slice(0, 3);
}
