import { isAttributableTag } from './attributable-tag.ts';
import { ConfigError } from './config-error.ts';
import type { SourceSpec } from './jail-spec.ts';
import type { Binding, SourceChoice } from './labels.ts';
import { parseLogPaths } from './log-paths.ts';

/** A container in a jail, with where its lines are read. */
export interface BoundContainer {
  readonly binding: Binding;
  readonly sources: readonly SourceSpec[];
}

/**
 * Where a container's lines are read: what its label says, else by its log driver (syslog → the host's syslog file,
 * journald → the journal, any other → Docker's log API).
 *
 * @throws ConfigError if its lines can't be read that way
 */
export function containerSources({ container, options, source }: Binding): SourceSpec[] {
  const { name, logging } = container;
  const choice = source === 'auto' ? byDriver(logging.driver) : source;
  switch (choice) {
    case 'syslog':
      if (logging.driver !== 'syslog') throw otherDriver('syslog', logging.driver);
      if (logging.tag === undefined || !isAttributableTag(logging.tag)) {
        throw new ConfigError(
          `the tag of its syslog driver (${JSON.stringify(logging.options['tag'] ?? '')}) can't be told, so its lines can't be told from others`,
          'give the service a plain tag: logging: { driver: syslog, options: { tag: nginx-proxy } }',
        );
      }
      return [{ kind: 'syslog', program: logging.tag, container: name }];
    case 'journald':
      if (logging.driver !== 'journald') throw otherDriver('journald', logging.driver);
      return [{ kind: 'journald', matches: [[`CONTAINER_ID_FULL=${container.id}`]], container: name }];
    case 'docker':
      if (logging.driver === 'none') {
        throw new ConfigError(
          'its log driver is "none": it has no log',
          'remove "driver: none" from its logging',
        );
      }
      return [{ kind: 'docker', containerId: container.id, container: name }];
    case 'file':
      break;
  }
  const paths = parseLogPaths(options.get('logpath')?.value ?? '');
  if (paths.length === 0) {
    throw new ConfigError('source is file, but no file is named', 'add fail2ban.logpath=/var/log/app/*.log');
  }
  return paths.map(({ pattern, from }) => ({ kind: 'file', pattern, from, container: name }));
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
