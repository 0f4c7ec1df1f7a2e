import { setTimeout as delay } from 'node:timers/promises';
import { ControlClient } from '../../control/client.ts';
import type { Stats } from '../../control/api.ts';
import { localTime } from '../../text/local-time.ts';
import { output, type Screen } from '../output.ts';
import { exitCode } from '../exit-code.ts';
import { headline, offenderTable } from './stats.ts';
import { table } from '../table.ts';
import { defineCommand } from '../command.ts';
import { withJson } from './options.ts';
import { untilInterrupted } from './until-interrupted.ts';

/** Milliseconds between two looks. */
const refreshEvery = 1000;

const screen = {
  /** The terminal's other page, without a cursor. */
  open: '\u001b[?1049h\u001b[?25l',
  close: '\u001b[?25h\u001b[?1049l',
  home: '\u001b[H',
  endOfLine: '\u001b[K',
  rest: '\u001b[J',
} as const;

export interface TopOptions {
  readonly json: boolean;
  /** Size of the terminal; undefined: there is none, and it is printed once. */
  readonly terminal: (() => { readonly rows: number; readonly columns: number }) | undefined;
  readonly signal: AbortSignal;
}

/** `dock2ban top`: which jails are under attack now, and by whom; on a terminal anew each second until `signal` aborts. */
export async function top(
  client: ControlClient,
  { json, terminal, signal }: TopOptions,
  { print, paint }: Screen,
): Promise<number> {
  if (json || !terminal) {
    const found = await client.stats();
    print(json ? `${JSON.stringify(found)}\n` : `${topLines(found).join('\n')}\n`);
    return exitCode.done;
  }
  paint(screen.open);
  try {
    while (!signal.aborted) {
      const lines = topLines(await client.stats());
      const { rows, columns } = terminal();
      const shown = lines.slice(0, rows - 1).map((line) => line.slice(0, columns) + screen.endOfLine);
      paint(`${screen.home}${shown.join('\n')}\n${screen.rest}`);
      await delay(refreshEvery, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    paint(screen.close);
  }
  return exitCode.done;
}

function topLines(found: Stats): string[] {
  const busiest = found.jails.toSorted(
    (a, b) =>
      b.lastMinute.failures - a.lastMinute.failures ||
      b.lastMinute.bans - a.lastMinute.bans ||
      b.currentlyBanned - a.currentlyBanned ||
      (a.jail < b.jail ? -1 : 1),
  );
  const rows = busiest.map((jail) => [
    jail.jail,
    jail.lastMinute.failures,
    jail.lastMinute.bans,
    jail.currentlyFailed,
    jail.currentlyBanned,
  ]);
  const offenders = offenderTable(found);
  return [
    `${headline(found)} · ${localTime(new Date(Date.parse(found.started) + found.uptime * 1000))}`,
    '',
    ...(rows.length > 0
      ? table([['JAIL', 'FAILURES/MIN', 'BANS/MIN', 'FAILING', 'BANNED'], ...rows])
      : ['No jail runs yet.']),
    ...(offenders.length > 0 ? ['', ...offenders] : []),
  ];
}

export const command = defineCommand(
  'top',
  'Which jails are under attack now; on a terminal refreshed each second',
  (parser) => parser.options(withJson).example('$0 top', 'ends with Ctrl-C').example('$0 top | cat', 'once'),
  (argv) => {
    const { stdout } = process;
    const terminal = stdout.isTTY
      ? () => ({ rows: stdout.rows || 24, columns: stdout.columns || 80 })
      : undefined;
    return top(
      new ControlClient(argv.socket),
      { json: argv.json, terminal, signal: untilInterrupted() },
      output,
    );
  },
);
