import type { IgnoreCache } from '../../config/options/ignore-cache.ts';
import { zoneText } from '../../config/options/log-time-zone.ts';
import type { ClosedPort, JailSpec, SourceSpec } from '../../config/jail-spec.ts';
import { isTrue } from './jail-formats.ts';
import { pythonRepr } from '../python-repr.ts';

/**
 * The resolved jails as `fail2ban-client -d` prints a configuration: a Python list for each command that would set them
 * up. Actions are left out: bans are dock2ban's own. Instead, `addcontainer` and `closes` tell what only dock2ban has.
 */
export function dumpJails(jails: readonly JailSpec[]): string {
  const commands = [...jails.flatMap(setUp), ...jails.map(({ name }) => ['start', name])];
  return commands.map((command) => `${pythonRepr(command)}\n`).join('');
}

function setUp(jail: JailSpec): unknown[][] {
  const { name, filter, sources, ignoreCommand } = jail;
  const set = (option: string, ...values: unknown[]): unknown[] => ['set', name, option, ...values];
  const optional = (option: string, value: unknown): unknown[][] =>
    value === undefined ? [] : [set(option, value)];
  const list = (option: string, values: readonly string[]): unknown[][] => {
    if (values.length < 2) return values.map((value) => set(option, value));
    return [['multi-set', name, option, values]];
  };
  const ignored = [
    ...jail.ignoreip,
    ...(jail.ignoreNames ?? []),
    ...(jail.ignoreFiles ?? []).map((file) => `file:${file}`),
  ];
  return [
    ['add', name, backendOf(sources)],
    set('usedns', filter.usedns),
    ...optional('prefregex', filter.prefregex),
    set('maxlines', filter.maxlines),
    ...list('addfailregex', filter.failregex),
    ...list('addignoreregex', filter.ignoreregex),
    ...optional('datepattern', filter.datepattern),
    set('maxretry', jail.maxretry),
    set('maxmatches', jail.maxmatches ?? jail.maxretry),
    set('findtime', jail.findtime),
    set('bantime', jail.bantime),
    ...Object.entries(jail.incrementTexts ?? {}).map(([option, text]) => set(option, switched(option, text))),
    set('ignorecommand', ignoreCommand?.join(' ') ?? ''),
    ...optional('ignorecache', jail.ignoreCache && ignoreCacheText(jail.ignoreCache)),
    set('ignoreself', jail.ignoreself),
    ...(ignored.length > 0 ? [set('addignoreip', ...ignored)] : []),
    ...optional('logtimezone', filter.logTimeZone === undefined ? undefined : zoneText(filter.logTimeZone)),
    set('logencoding', jail.logEncoding ?? 'auto'),
    ...sources.flatMap((source) => (source.kind === 'bans' ? [] : [set(...sourceCommand(source))])),
    ...jail.containers.map((container) => set('addcontainer', container)),
    set('closes', jail.closes === 'all' ? 'all' : jail.closes.map(portText)),
  ];
}

/** fail2ban's name of the way in which log files are watched. */
function backendOf(sources: readonly SourceSpec[]): string {
  if (sources.some(({ kind }) => kind === 'journald')) return 'systemd';
  return sources.some((source) => source.kind === 'file' && source.polling) ? 'polling' : 'auto';
}

/** What can only be on or off is a boolean. */
function switched(option: string, text: string): string | boolean {
  return option === 'bantime.increment' || option === 'bantime.overalljails' ? isTrue(text) : text;
}

function ignoreCacheText({ key, maxCount, maxTime }: IgnoreCache): string {
  return `key="${key}", max-count=${maxCount}, max-time=${maxTime}`;
}

/** `UTC+0530`, from minutes east of UTC. */
function sourceCommand(source: Exclude<SourceSpec, { kind: 'bans' }>): [string, ...unknown[]] {
  switch (source.kind) {
    case 'file':
      return ['addlogpath', source.pattern, source.from];
    case 'journald':
      return [
        'addjournalmatch',
        ...source.matches.flatMap((group, i) => (i === 0 ? group : ['+', ...group])),
      ];
    case 'syslog':
      return ['addlogpath', `syslog:${source.program}`, 'tail'];
    case 'docker':
      return ['addlogpath', `docker:${source.container}`, 'tail'];
  }
}

function portText({ protocol, first, last, hostAddress }: ClosedPort): string {
  const ports = first === last ? String(first) : `${first}-${last}`;
  return `${hostAddress === undefined ? '' : `${hostAddress}:`}${ports}/${protocol}`;
}
