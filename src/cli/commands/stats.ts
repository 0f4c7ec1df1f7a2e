import { ControlClient } from '../../control/client.ts';
import type { SourceStats, Stats } from '../../control/api.ts';
import { localTime } from '../../text/local-time.ts';
import { oneLine } from '../../text/plain-text.ts';
import { exitCode } from '../exit-code.ts';
import { duration, size, table } from '../table.ts';
import { defineCommand } from '../command.ts';
import { withJson } from './options.ts';
import { jsonText, output } from '../output.ts';

/** `dock2ban stats`: what happened since the start, and what is remembered. */
export async function stats(
  client: ControlClient,
  json: boolean,
  print: (text: string) => void,
): Promise<number> {
  const found = await client.stats();
  print(json ? jsonText(found) : `${statsLines(found).join('\n')}\n`);
  return exitCode.done;
}

/** One line on the controller itself. */
export function headline({ version, uptime, memory, store }: Stats): string {
  const trouble = store.trouble === null ? '' : `; NOT REMEMBERED: ${oneLine(store.trouble)}`;
  return `dock2ban ${version}, up ${duration(uptime)}, ${size(memory.resident)} resident${trouble}`;
}

function statsLines(found: Stats): string[] {
  return [
    headline(found),
    '',
    ...jailTable(found),
    ...section(sourceTable(found)),
    ...section(offenderTable(found)),
    ...section(dayTable(found)),
  ];
}

function jailTable({ jails }: Stats): string[] {
  if (jails.length === 0) return ['No jail runs yet.'];
  const head = [
    'JAIL',
    'FAILING',
    'BANNED',
    'FAILURES',
    'BANS',
    'RESTORED',
    'UNBANS',
    'NOT BELIEVED',
    'EVER BANNED',
  ];
  const rows = jails.map((jail) => [
    jail.active ? jail.jail : `${jail.jail} (stopped)`,
    jail.currentlyFailed,
    jail.currentlyBanned,
    jail.failures,
    jail.bans,
    jail.restored,
    jail.unbans,
    jail.uncorroborated,
    jail.remembered.addresses,
  ]);
  return table([head, ...rows]);
}

function sourceTable({ sources }: Stats): string[] {
  if (sources.length === 0) return [];
  const rows = sources.map((each) => [each.source, read(each), each.matched, troubles(each)]);
  return table([['SOURCE', 'READ', 'FAILURES', ''], ...rows]);
}

function read({ lines, bytes }: SourceStats): string {
  return [lines === null ? [] : `${lines} lines`, bytes === null ? [] : size(bytes)].flat().join(', ');
}

function troubles({ cut, gaps, dropped }: SourceStats): string {
  const said = [
    cut > 0 ? `${cut} lines cut` : [],
    gaps > 0 ? `${gaps} gaps` : [],
    dropped > 0 ? `${dropped} lines dropped` : [],
  ];
  return said.flat().join(', ');
}

/** Who was banned most often. */
export function offenderTable({ offenders }: Stats): string[] {
  if (offenders.length === 0) return [];
  const rows = offenders.map(({ ip, bans, jails, last }) => [
    ip,
    bans,
    localTime(new Date(last)),
    jails.join(', '),
  ]);
  return table([['OFFENDER', 'BANS', 'LAST', 'JAILS'], ...rows]);
}

function dayTable({ days }: Stats): string[] {
  if (days.length === 0) return [];
  return table([['DAY', 'ADDRESSES BANNED'], ...days.map(({ day, addresses }) => [day, addresses])]);
}

function section(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', ...lines];
}

export const command = defineCommand(
  'stats',
  'What happened since the start, by jail and log, and who was banned most often',
  (parser) => parser.options(withJson).example('$0 stats --json', 'for programs'),
  (argv) => stats(new ControlClient(argv.socket), argv.json, output.print),
);
