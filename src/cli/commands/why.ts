import { canonicalPrefix } from '../../net/address.ts';
import { ControlClient } from '../../control/client.ts';
import type { BanDetail, Why, WhyJail } from '../../control/api.ts';
import { Dock2banError } from '../../errors.ts';
import { localTime } from '../../text/local-time.ts';
import { oneLine } from '../../text/plain-text.ts';
import { exitCode } from '../exit-code.ts';
import { defineCommand } from '../command.ts';
import { withJson } from './options.ts';
import { jsonText, output } from '../output.ts';

/**
 * `dock2ban why IP`: everything that concerns an address: bans, failures, ignore rules, history, and the log lines. The answer is no if
 * nothing does.
 */
export async function why(
  client: ControlClient,
  text: string,
  json: boolean,
  print: (text: string) => void,
): Promise<number> {
  const ip = canonicalPrefix(text);
  if (ip === undefined) throw new Dock2banError('usage', `'${text}' is no IP address or prefix`);
  const found = await client.why(ip);
  print(json ? jsonText(found) : `${whyLines(found).map(oneLine).join('\n')}\n`);
  return isKnown(found) ? exitCode.done : exitCode.no;
}

function isKnown({ neverBanned, jails, events }: Why): boolean {
  return neverBanned !== null || jails.length > 0 || events.length > 0;
}

function whyLines(found: Why): string[] {
  const { ip, neverBanned, jails, events } = found;
  if (!isKnown(found)) return [`${ip}: no bans or failures on record`];
  const isBanned = jails.some(({ bans }) => bans.length > 0);
  return [
    `${ip} is ${isBanned ? 'banned' : 'not banned'}`,
    ...(neverBanned === null ? [] : [`  No jail bans it: ${neverBanned}`]),
    ...jails.flatMap((jail) => jailLines(ip, jail)),
    ...(events.length > 0 ? ['Newest events'] : []),
    ...events.map(({ time, msg }) => `  ${localTime(new Date(time))} ${msg}`),
  ];
}

function jailLines(ip: string, jail: WhyJail): string[] {
  const { failures, bans, past, ignoredBy } = jail;
  return [
    `[${jail.jail}]${jail.active ? '' : ' (does not run)'}${jail.countsAs === ip ? '' : ` counts it as ${jail.countsAs}`}`,
    ...(ignoredBy === null ? [] : [`  Its failures do not count: ${ignoredBy} is in ignoreip`]),
    ...bans.flatMap((ban) => [
      `  Banned${nameOf(ip, ban)} ${span(ban)}${details(ban)}`,
      ...logged(ban.lines),
    ]),
    ...(failures === null
      ? []
      : [
          `  ${failures.count} of ${failures.maxretry} failures, from ${at(failures.first)} to ${at(failures.last)}`,
          ...logged(failures.lines),
        ]),
    ...past.flatMap((ban) => [
      `  Was banned${nameOf(ip, ban)} ${span(ban)}${details(ban)}`,
      ...logged(ban.lines),
    ]),
  ];
}

function nameOf(ip: string, ban: BanDetail): string {
  return ban.ip === ip ? '' : ` as ${ban.ip}`;
}

function span({ since, until }: BanDetail): string {
  return `since ${at(since)} ${until === null ? 'permanently' : `until ${at(until)}`}`;
}

function details({ count, failures, container }: BanDetail): string {
  const said = [
    count === null ? [] : `ban number ${count}`,
    failures === null ? [] : `after ${failures} failures`,
    container === null ? [] : `logged by ${container}`,
  ].flat();
  return said.length > 0 ? ` (${said.join(', ')})` : '';
}

function logged(lines: readonly string[]): string[] {
  return lines.map((line) => `    | ${line}`);
}

function at(time: string): string {
  return localTime(new Date(time));
}

export const command = defineCommand(
  'why <ip>',
  'Everything that concerns an address: bans, failures, ignore rules, history, log lines',
  (parser) =>
    parser
      .options(withJson)
      .positional('ip', { type: 'string', demandOption: true, describe: 'IP address or prefix' })
      .example('$0 why 203.0.113.7', 'who banned it, until when, and for which log lines')
      .example('$0 why 2001:db8::1', 'IPv6: also what its /64 did'),
  (argv) => why(new ControlClient(argv.socket), argv.ip, argv.json, output.print),
);
