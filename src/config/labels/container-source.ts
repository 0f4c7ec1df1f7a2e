import type { ContainerSnapshot } from '../../docker/snapshot.ts';
import { isAttributableTag } from './attributable-tag.ts';
import { ConfigError, quoted } from '../conf/config-error.ts';
import type { SourceChoice, SourceSpec } from '../jail-spec.ts';
import type { Binding } from './labels.ts';
import { labelLimits } from './label-limits.ts';
import { defaultPolicy, type LabelPolicy } from './label-policy.ts';
import { parseLogPaths, type LogPath } from '../options/log-paths.ts';
import { listenerKey, type ReceiverAddress, receiverOf } from './syslog-address.ts';

/** Where a container's lines are read. */
export interface ContainerSources {
  readonly sources: SourceSpec[];
  /** Why they aren't read where its log driver sends them. */
  readonly fallback?: { readonly why: string; readonly fix: string };
}

/**
 * Where a container's lines are read: what its label says, else by its log driver (syslog → our receiver if it sends there,
 * else the host's syslog file, journald → the journal, any other → Docker's log API). Where syslog lines can't be attributed and
 * the choice is ours, Docker's own copy of them is read instead (dual logging); where they can't be read, `fallback` says where that copy is.
 *
 * @param receivers our own syslog receivers
 * @throws ConfigError if its lines can't be read that way
 */
export function containerSources(
  { container, options, source }: Binding,
  receivers: readonly ReceiverAddress[] = [],
  { logRoots: within }: LabelPolicy = defaultPolicy,
): ContainerSources {
  const { name, logging } = container;
  const docker: SourceSpec = { kind: 'docker', containerId: container.id, container: name };
  const choice = source === 'auto' ? byDriver(logging.driver) : source;
  // What a label asks for stands, also while it can't be read.
  const fallback = source === 'auto' && keepsCopy(logging.options) ? { fallback: container.id } : {};
  switch (choice) {
    case 'syslog':
      if (logging.driver !== 'syslog') throw otherDriver('syslog', logging.driver);
      if (logging.tag === undefined || !isAttributableTag(logging.tag)) {
        const why = `the tag of its syslog driver (${JSON.stringify(logging.options['tag'] ?? '')}) can't be told, so its lines can't be told from others`;
        const fix =
          'give the service a plain tag: logging: { driver: syslog, options: { tag: nginx-proxy } }';
        if (source !== 'auto' || !keepsCopy(logging.options)) throw new ConfigError(why, fix);
        return { sources: [docker], fallback: { why, fix } };
      }
      return { sources: [syslogSource(container, logging.tag, receivers, fallback)] };
    case 'journald':
      if (logging.driver !== 'journald') throw otherDriver('journald', logging.driver);
      return {
        sources: [
          {
            kind: 'journald',
            matches: [[`CONTAINER_ID_FULL=${container.id}`]],
            container: name,
            ...fallback,
          },
        ],
      };
    case 'docker':
      if (logging.driver === 'none') {
        throw new ConfigError(
          'its log driver is "none": it has no log',
          'remove "driver: none" from its logging',
        );
      }
      return { sources: [docker] };
    case 'file':
      break;
  }
  const paths = parseLogPaths(options.get('logpath')?.value ?? '');
  if (paths.length === 0) {
    throw new ConfigError('source is file, but no file is named', 'add fail2ban.logpath=/var/log/app/*.log');
  }
  checkLogPaths(paths, within);
  return {
    sources: paths.map(({ pattern, from }) => ({ kind: 'file', pattern, from, container: name, within })),
  };
}

/** What a label may read of the host. */
function checkLogPaths(paths: readonly LogPath[], roots: readonly string[]): void {
  if (paths.length > labelLimits.logPaths) {
    throw new ConfigError(
      `it names ${paths.length} log files`,
      `keep it to ${labelLimits.logPaths}, or use wildcards`,
    );
  }
  for (const { pattern } of paths) {
    const segments = pattern.split('/');
    if (segments.includes('**')) {
      throw new ConfigError(
        `** in ${quoted(pattern)} would search whole trees`,
        'write one * for each folder',
      );
    }
    const isBelow = (root: string): boolean => pattern.startsWith(root === '/' ? root : `${root}/`);
    if (segments.includes('..') || !roots.some(isBelow)) {
      throw new ConfigError(
        `${quoted(pattern)} is not in ${roots.join(', ') || 'a folder of logs'}: labels name no other files of the host`,
        'add its folder to --log-roots (DOCK2BAN_LOG_ROOTS=/var/log,/srv/logs), or set logpath in jail.local',
      );
    }
  }
}

function syslogSource(
  { id, name, logging }: ContainerSnapshot,
  program: string,
  receivers: readonly ReceiverAddress[],
  fallback: { readonly fallback?: string },
): SourceSpec {
  const receiver = receiverOf(logging.options, receivers);
  const via = receiver && { via: 'receiver' as const, listener: listenerKey(receiver) };
  const copy = keepsCopy(logging.options) && { isCopied: true as const };
  return { kind: 'syslog', program, container: name, containerId: id, ...via, ...copy, ...fallback };
}

/**
 * Whether the engine keeps what it sends away (Docker 20.10 on, which is found out when the copy is read): unless told not to, by an option
 * that Go's ParseBool reads.
 */
function keepsCopy(options: Readonly<Record<string, string>>): boolean {
  return !/^(?:1|t|true)$/i.test(options['cache-disabled'] ?? '');
}

function byDriver(driver: string): Exclude<SourceChoice, 'auto'> {
  return driver === 'syslog' || driver === 'journald' ? driver : 'docker';
}

function otherDriver(wanted: string, driver: string): ConfigError {
  return new ConfigError(
    `its log driver is ${driver}, not ${wanted}`,
    `set fail2ban.source=auto, or give the service the log driver ${wanted}`,
  );
}
