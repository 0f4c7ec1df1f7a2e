import type { ControlClient } from '../control/client.ts';
import { logLine } from '../text/log-line.ts';
import type { Screen } from './by-hand.ts';
import { exitCode } from './exit-code.ts';

export interface LogsOptions {
  /** Go on with what comes. */
  readonly follow: boolean;
  /** Of the past events; undefined: all that are held, and the last ten where it goes on. */
  readonly lines: number | undefined;
  readonly jail: string | undefined;
  readonly json: boolean;
}

/** `dock2ban logs [-f]`: the events that the controller holds, as `dock2ban run` prints them, and those that come until `signal` aborts. */
export async function logs(
  client: ControlClient,
  { follow, lines, jail, json }: LogsOptions,
  { screen, colors, signal }: { screen: Screen; colors: boolean; signal: AbortSignal },
): Promise<number> {
  const last = lines ?? (follow ? 10 : undefined);
  try {
    for await (const event of client.events({ since: 0, last, jail, follow }, signal)) {
      if (json) screen.print(`${JSON.stringify(event)}\n`);
      else screen.paint(logLine(event, colors));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return exitCode.done;
}
