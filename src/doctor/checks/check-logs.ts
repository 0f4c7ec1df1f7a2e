import type { NeverBan } from '../../firewall/bans/never-ban.ts';
import { error, ok, untested, warning, type Finding } from '../finding.ts';
import { findDateEnd, skipPriority } from '../../sources/syslog/header.ts';
import { SyslogClock } from '../../sources/syslog/clock.ts';
import type { FileTail } from '../facts/log-sample.ts';

/** Whom a jail's filter finds in the last lines of its logs. */
export interface Sightings {
  readonly jail: string;
  /** Where the lines are from: `/var/log/syslog`, `docker:NAME`. */
  readonly source: string;
  readonly lines: number;
  /** Addresses of failures, one each. */
  readonly offenders: readonly string[];
}

/** A log that was looked at, or why it was not. */
export type Sample = Sightings | { readonly failed: string };

/** Whether failures show addresses that stand for clients who can't be seen. */
export function checkSightings(samples: readonly Sample[], neverBan: NeverBan): Finding[] {
  const isGateway = (ip: string): boolean => neverBan.find(ip)?.kind === 'gateway';
  const seen = samples.filter((sample) => 'jail' in sample);
  const isHiding = ({ offenders }: Sightings): boolean => offenders.some(isGateway);
  const [hiding, clear] = [seen.filter(isHiding), seen.filter((sightings) => !isHiding(sightings))];
  const where = ({ lines, source }: Sightings): string => `in the last ${lines} lines of ${source}`;
  const hidden = hiding.map((sightings) => {
    const gateways = sightings.offenders.filter(isGateway);
    const count = `${gateways.length} of ${sightings.offenders.length}`;
    return `[${sightings.jail}] ${count} ${where(sightings)} (${[...new Set(gateways)].join(', ')})`;
  });
  const shown = clear.map((each) => `[${each.jail}] ${each.offenders.length} failures ${where(each)}`);
  const failed = samples.flatMap((sample) => ('failed' in sample ? [sample.failed] : []));
  return [
    ...(hidden.length > 0
      ? [
          warning('logs', {
            what: `failures show a gateway of Docker's: ${hidden.join('; ')}`,
            consequence: 'the real clients are hidden, so those who fail there can not be banned',
            remedy:
              "give the container's network IPv6 if they are IPv6 clients; behind a proxy of yours let it pass the address on (X-Forwarded-For, PROXY protocol); with Swarm publish with mode: host",
          }),
        ]
      : []),
    ...(shown.length > 0 ? [ok('logs', `no failure shows a gateway of Docker's: ${shown.join('; ')}`)] : []),
    ...(failed.length > 0 ? [untested('logs', failed.join('; '))] : []),
  ];
}

/** The syslog file, if a jail reads it. @param tail undefined: it can't be read, for this reason */
export function checkSyslogFile(
  path: string,
  programs: readonly string[],
  tail: FileTail | undefined,
  reason: string | undefined,
): Finding[] {
  if (programs.length === 0) return [];
  if (tail === undefined) {
    return [
      error('logs', {
        what: `${path} can't be read (${reason}), but containers log there: ${programs.join(', ')}`,
        consequence: 'their lines are not read, so nobody is banned for them',
        remedy:
          "mount its folder (compose: volumes: ['/var/log:/var/log:ro']) and add the group that may read it (group_add: ['4']); on a host without rsyslog: apt install rsyslog, or drop the log driver syslog",
      }),
    ];
  }
  return [ok('logs', `${path} can be read`)];
}

/** Milliseconds by which a stamp may differ from when the file was written. */
const tolerance = 2 * 60_000;
/** Zones differ by quarters of an hour. */
const quarter = 15 * 60_000;
/** In milliseconds: no two zones differ by more. */
const farthest = 26 * 60 * 60_000;

/** Whether local times in the syslog file mean the same here: its last line was written when the file was. */
export function checkClock(path: string, { text, modifiedAt }: FileTail): Finding[] {
  const stamp = lastStamp(text);
  if (stamp === undefined) return [untested('clock', `${path} has no line with a time yet`)];
  const time = new SyslogClock(() => modifiedAt).read(stamp);
  if (time === undefined)
    return [untested('clock', `the time of the last line of ${path} can't be read: ${stamp}`)];
  const off = time - modifiedAt;
  const quarters = Math.round(off / quarter);
  const isZone =
    quarters !== 0 && Math.abs(off - quarters * quarter) <= tolerance && Math.abs(off) <= farthest;
  if (!isZone) return [ok('clock', `times in ${path} match the clock and time zone here`)];
  return [
    warning('clock', {
      what: `times in ${path} are ${Math.abs(quarters) / 4} hours ${off < 0 ? 'behind' : 'ahead of'} the clock here: another time zone`,
      consequence: 'failures count as older or newer than they are, and may never cause a ban',
      remedy:
        "mount the host's time zone (compose: volumes: ['/etc/localtime:/etc/localtime:ro']) and restart dock2ban",
    }),
  ];
}

function lastStamp(text: string): string | undefined {
  const lines = text.trimEnd().split('\n').slice(-50).toReversed();
  for (const line of lines) {
    const start = skipPriority(line, 0);
    const end = findDateEnd(line, start);
    if (end !== undefined && line[end] === ' ') return line.slice(start, end);
  }
  return undefined;
}
