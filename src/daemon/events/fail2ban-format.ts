import { oneLine } from '../../text/plain-text.ts';
import { localTime } from '../../text/local-time.ts';

/** fail2ban's name of the module and level that an event would have in fail2ban.log. */
const origins: Readonly<Record<string, readonly [module: string, level: string]>> = {
  ban: ['actions', 'NOTICE'],
  unban: ['actions', 'NOTICE'],
  restore: ['actions', 'NOTICE'],
  found: ['filter', 'INFO'],
  ignored: ['filter', 'INFO'],
  'jail-started': ['jail', 'INFO'],
  'jail-stopped': ['jail', 'INFO'],
};

const levels: Readonly<Record<string, string>> = { warn: 'WARNING', fatal: 'CRITICAL' };

interface LoggedLine {
  readonly time: string;
  readonly level: string;
  readonly event?: string;
  readonly msg?: string;
}

/**
 * Rewrites pino's JSON lines into fail2ban.log's own form, so that what parses that file works:
 * `2026-11-22 13:44:53,123 fail2ban.actions        [1]: NOTICE  [nginx-proxy] Ban 20.247.234.38`.
 * Column widths as in fail2ban 1.0's log formatter.
 */
export function toFail2ban(json: string): string {
  const { time, level, event, msg }: LoggedLine = JSON.parse(json);
  const [module, name] = origins[event ?? ''] ?? ['server', levels[level] ?? level.toUpperCase()];
  const at = new Date(time);
  const stamp = `${localTime(at)},${String(at.getMilliseconds()).padStart(3, '0')}`;
  return `${stamp} ${`fail2ban.${module}`.padEnd(24)}[${process.pid}]: ${name.padEnd(7)} ${oneLine(msg ?? '')}\n`;
}
