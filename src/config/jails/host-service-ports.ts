import { orElse } from '../conf/config-error.ts';
import type { ClosedPort } from '../jail-spec.ts';
import { portsOf } from '../options/actions.ts';
import type { JailDefinitions } from './jail-definitions.ts';
import { JailReader } from './jail-reader.ts';

/** Ports that the operator's own jails close for services of the host. */
export function hostServicePorts(definitions: JailDefinitions): ClosedPort[] {
  return [...definitions.operators.keys()].flatMap((name) => {
    const reader = new JailReader(definitions, name, new Map());
    if (reader.value('enabled') !== true) return [];
    const ports = orElse(
      () => portsOf(reader.fileText('port') ?? 'all', reader.fileText('protocol') ?? 'tcp'),
      () => [],
    );
    return ports === 'all' ? [] : ports;
  });
}
