import type { ContainerSnapshot, NetworkSnapshot } from '../../docker/snapshot.ts';
import { orElse } from '../conf/config-error.ts';
import { directNetworks, directPaths, type DirectNetwork } from '../networks/direct-paths.ts';
import type { ConfigProblem, DirectPath } from '../jail-spec.ts';
import { labelProblem, portLabel, type Label } from './label.ts';
import { parsePorts, type PortChoice } from '../options/ports.ts';

/**
 * What labels close of a container on macvlan or ipvlan, where it stands in the local network by itself.
 * @param label one of those that say who gets to it
 * @returns also whether it is on no other network, so that it publishes nothing
 */
export function directAccess(
  container: ContainerSnapshot,
  networks: readonly NetworkSnapshot[],
  label: Label,
): {
  readonly direct: readonly DirectPath[];
  readonly isOnly: boolean;
  readonly problems: readonly ConfigProblem[];
} {
  const own = directNetworks(container, networks);
  if (own.length === 0) return { direct: [], isOnly: false, problems: [] };
  const problems: ConfigProblem[] = [];
  const value = container.labels[portLabel] ?? 'published';
  const choice = orElse(
    () => parsePorts(value),
    ({ message, fix }): PortChoice => {
      // What is closed by mistake is noticed at once.
      const what = `its ports can't be read, so everything is closed: ${message}`;
      problems.push(labelProblem(container, { name: portLabel, value }, what, fix));
      return 'all';
    },
  );
  const direct = directPaths(own, choice);
  const open = own.filter(({ parent, addresses }) => parent === undefined || addresses.length === 0);
  problems.push(...open.map((network) => notEnforced(container, label, network)));
  if (direct.some(({ closes }) => closes === 'all')) problems.push(onlyConnections(container, label, direct));
  return { direct, isOnly: own.length === container.networks.length, problems };
}

function notEnforced(container: ContainerSnapshot, label: Label, network: DirectNetwork): ConfigProblem {
  const past = `with the driver ${network.driver}, packets pass none of the host's chains`;
  const why =
    network.parent === undefined
      ? 'it names no parent interface'
      : 'the engine tells no address of the container';
  return labelProblem(
    container,
    label,
    `it is open to everyone on network ${network.name}: ${past}, and ${why}`,
    'make the network with a parent (driver_opts: parent: eth0), or publish its ports from a bridge network',
  );
}

function onlyConnections(
  container: ContainerSnapshot,
  label: Label,
  direct: readonly DirectPath[],
): ConfigProblem {
  const where = [...new Set(direct.map(({ parent }) => parent))].join(', ');
  return labelProblem(
    container,
    label,
    `where packets enter by ${where}, answers can't be told from what nobody asked for: of those who are not let in, only TCP connections are refused`,
    'name the ports that it serves, so that all packets to these are dropped: fail2ban.port=80,443,53/udp',
    { severity: 'info' },
  );
}
