import { ControlClient } from '../../control/client.ts';
import { logLine } from '../../text/log-line.ts';
import { output, type Screen } from '../output.ts';
import { exitCode } from '../exit-code.ts';
import { defineCommand } from '../command.ts';
import { withJson } from './options.ts';
import { Dock2banError } from '../../errors.ts';
import { wantsColors } from '../../text/colors.ts';
import { untilInterrupted } from './until-interrupted.ts';

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

export const command = defineCommand(
  'logs',
  'The newest events, as run prints them; with -f also those that come',
  (parser) =>
    parser
      .options({
        ...withJson,
        follow: { alias: 'f', type: 'boolean', default: false, describe: 'Go on with what comes' },
        lines: {
          alias: 'n',
          type: 'number',
          describe: 'How many past events (default: all that are held; with -f: 10)',
        },
        jail: { alias: 'j', type: 'string', describe: 'Of this jail alone' },
      } as const)
      .example('$0 logs -f', 'watch failures and bans as they happen')
      .example('$0 logs -n 20 --jail sshd', 'the last 20 events of a jail')
      .example('$0 logs -f --json', 'for programs: one JSON object a line'),
  ({ socket, json, follow, lines, jail }) => {
    if (lines !== undefined && !(Number.isInteger(lines) && lines >= 0)) {
      throw new Dock2banError('usage', '--lines takes a whole number');
    }
    const colors = wantsColors(process.stdout, process.env);
    return logs(
      new ControlClient(socket),
      { follow, lines, jail, json },
      { screen: output, colors, signal: untilInterrupted() },
    );
  },
);
