import type { Protocol, PublishedPort } from '../../docker/snapshot.ts';
import { ConfigError, invalid, quoted } from '../conf/config-error.ts';
import type { ClosedPort, Closes } from '../jail-spec.ts';
import { nearest } from './nearest.ts';
import { services } from './services.ts';

/** What `port` asks for. */
export type PortChoice = 'published' | 'all' | readonly ClosedPort[];

const protocols: readonly Protocol[] = ['tcp', 'udp', 'sctp'];

/**
 * Parses `published`, `all`, or a list of ports: `80,443/tcp`, `53/udp`, `8000:8010`, `http,https`. The whole range
 * `0:65535` is `all`.
 *
 * @param given protocols of the entries without one
 * @throws ConfigError
 */
export function parsePorts(text: string, given: readonly Protocol[] = ['tcp']): PortChoice {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== '');
  const [only] = entries;
  if (only === undefined)
    throw new ConfigError('no port is named', 'write published, all, or ports such as 80,443');
  if (entries.length === 1) {
    if (only === 'published') return 'published';
    if (/^(?:all|any|[01]:65535)$/.test(only)) return 'all';
  }
  const ports = entries.flatMap((entry) => {
    const [range = '', protocol, more] = entry.split('/');
    if (more !== undefined) throw invalidPort(entry);
    const [first, last] = parseRange(range);
    return (protocol === undefined ? given : parseProtocols(protocol)).map((of): ClosedPort => ({
      protocol: of,
      first,
      last,
      hostAddress: undefined,
    }));
  });
  return mergePorts(ports);
}

/** Parses `tcp`, `udp`, `tcp,udp`, `all`. @throws ConfigError */
export function parseProtocols(text: string): readonly Protocol[] {
  if (text.trim() === 'all') return protocols;
  return text
    .split(/[\s,]+/)
    .filter((word) => word !== '')
    .map((word) => {
      const protocol = protocols.find((known) => known === word.toLowerCase());
      if (protocol === undefined) throw invalid('protocol', word, 'write tcp, udp or sctp');
      return protocol;
    });
}

function parseRange(text: string): [first: number, last: number] {
  const [, from, to = from] = /^(\d{1,5})(?:[-:](\d{1,5}))?$/.exec(text) ?? [];
  if (from === undefined) {
    const port = serviceNumber(text);
    return [port, port];
  }
  const [first, last] = [Number(from), Number(to)];
  if (last > 65_535 || first > last || last === 0) throw invalidPort(text);
  return [first, last];
}

function serviceNumber(name: string): number {
  const port = services.get(name.toLowerCase());
  if (port !== undefined) return port;
  const meant = nearest(name, [...services.keys(), 'published', 'all']);
  throw /^[a-z][\w-]*$/i.test(name)
    ? new ConfigError(
        `unknown service ${quoted(name)}`,
        meant ? `did you mean ${meant}?` : 'write the number of its port',
      )
    : invalidPort(name);
}

function invalidPort(text: string): ConfigError {
  return invalid('port', text, 'write published, all, or ports from 1 to 65535: 80,443/tcp,53/udp,8000:8010');
}

/** The ports that containers publish, as a ban closes them. An address of all interfaces counts as none. */
export function publishedPorts(published: readonly PublishedPort[]): ClosedPort[] {
  return mergePorts(
    published.map(({ protocol, hostAddress, hostPort }) => ({
      protocol,
      first: hostPort,
      last: hostPort,
      hostAddress: /^(?:0\.0\.0\.0|::|)$/.test(hostAddress) ? undefined : hostAddress,
    })),
  );
}

/** What several choices close together. */
export function mergeCloses(choices: readonly Closes[]): Closes {
  return choices.includes('all')
    ? 'all'
    : mergePorts(choices.flatMap((choice) => (choice === 'all' ? [] : choice)));
}

/** What of these ports is among others. An address that only the others name is kept: it is theirs. */
export function intersectPorts(ports: readonly ClosedPort[], among: readonly ClosedPort[]): ClosedPort[] {
  return mergePorts(
    ports.flatMap(({ protocol, first, last }) =>
      among
        .filter((other) => other.protocol === protocol && other.first <= last && other.last >= first)
        .map((other) => ({
          ...other,
          first: Math.max(first, other.first),
          last: Math.min(last, other.last),
        })),
    ),
  );
}

/** What of these ports is not among others, on whatever address the others are. */
export function subtractPorts(ports: readonly ClosedPort[], others: readonly ClosedPort[]): ClosedPort[] {
  let left = ports;
  for (const { protocol, first, last } of others) {
    left = left.flatMap((port) => {
      if (port.protocol !== protocol || port.last < first || port.first > last) return [port];
      return [
        { ...port, last: first - 1 },
        { ...port, first: last + 1 },
      ].filter((rest) => rest.first <= rest.last);
    });
  }
  return mergePorts(left);
}

/** Sorts, and joins what overlaps or touches on the same address. */
export function mergePorts(ports: readonly ClosedPort[]): ClosedPort[] {
  const merged: ClosedPort[] = [];
  for (const port of ports.toSorted(byPlace)) {
    const last = merged.at(-1);
    if (
      last &&
      last.protocol === port.protocol &&
      last.hostAddress === port.hostAddress &&
      port.first <= last.last + 1
    ) {
      merged[merged.length - 1] = { ...last, last: Math.max(last.last, port.last) };
    } else merged.push(port);
  }
  return merged;
}

function byPlace(a: ClosedPort, b: ClosedPort): number {
  return (
    (a.hostAddress ?? '').localeCompare(b.hostAddress ?? '') ||
    protocols.indexOf(a.protocol) - protocols.indexOf(b.protocol) ||
    a.first - b.first
  );
}

/** `80/tcp, 8000:8010/tcp`. */
export function formatPorts(ports: readonly ClosedPort[]): string {
  return ports
    .map(({ first, last, protocol, hostAddress }) => {
      const range = `${first === last ? first : `${first}:${last}`}/${protocol}`;
      return hostAddress === undefined ? range : `${hostAddress} ${range}`;
    })
    .join(', ');
}
