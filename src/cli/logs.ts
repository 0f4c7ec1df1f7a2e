import type { ControlClient } from '../control/client.ts';
import { prettyLog } from '../text/pretty-log.ts';
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
  const pretty = json ? undefined : await prettyLog(colors);
  try {
    for await (const event of client.events({ since: 0, last, jail, follow }, signal)) {
      const text = JSON.stringify(event);
      if (pretty) screen.paint(pretty(text));
      else screen.print(`${text}\n`);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return exitCode.done;
}
