import type { ContainerSnapshot, NetworkSnapshot } from '../../docker/snapshot.ts';
import { ConfigError } from '../conf/config-error.ts';
import { directNetworks, directPaths, type DirectNetwork } from '../networks/direct-paths.ts';
import type { Closes, ConfigProblem, DirectPath } from '../jail-spec.ts';
import { labelProblem, type Label } from './labels.ts';
import { parsePorts } from '../options/ports.ts';

const portLabel = 'fail2ban.port';

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
  const { choice, problems } = readChoice(container);
  const direct = directPaths(own, choice);
  const open = own.filter(({ parent, addresses }) => parent === undefined || addresses.length === 0);
  problems.push(...open.map((network) => notEnforced(container, label, network)));
  if (direct.some(({ closes }) => closes === 'all')) problems.push(onlyConnections(container, label, direct));
  return { direct, isOnly: own.length === container.networks.length, problems };
}

/** Which ports its label names. One that can't be read names none: what is closed by mistake is noticed at once. */
function readChoice(container: ContainerSnapshot): {
  choice: Closes | 'published';
  problems: ConfigProblem[];
} {
  const value = container.labels[portLabel];
  if (value === undefined) return { choice: 'published', problems: [] };
  try {
    return { choice: parsePorts(value), problems: [] };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const message = `its ports can't be read, so everything is closed: ${error.message}`;
    const fix = error.fix ?? 'name its ports: fail2ban.port=80,443';
    return { choice: 'all', problems: [labelProblem(container, { name: portLabel, value }, message, fix)] };
  }
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
  const message = `where packets enter by ${where}, answers can't be told from what nobody asked for: of those who are not let in, only TCP connections are refused`;
  const fix =
    'name the ports that it serves, so that all packets to these are dropped: fail2ban.port=80,443,53/udp';
  return { ...labelProblem(container, label, message, fix), severity: 'info' };
}
