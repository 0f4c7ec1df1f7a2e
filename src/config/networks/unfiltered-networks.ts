import type { ContainerSnapshot, NetworkSnapshot } from '../../docker/snapshot.ts';
import { directNetworks, type DirectNetwork } from './direct-paths.ts';
import type { ConfigProblem } from '../jail-spec.ts';

/** Containers that bans can't protect on some network, or not from everyone, each told once a network. */
export function unfilteredNetworks(
  containers: readonly ContainerSnapshot[],
  networks: readonly NetworkSnapshot[],
): ConfigProblem[] {
  return containers.flatMap((container) =>
    directNetworks(container, networks).map((network) => ({
      where: `container ${container.name}, network ${network.name}`,
      container: container.name,
      ...noticeOf(network),
    })),
  );
}

function noticeOf({
  driver,
  parent,
  addresses,
}: DirectNetwork): Pick<ConfigProblem, 'severity' | 'message' | 'fix'> {
  const past = `with the driver ${driver}, packets pass none of the host's chains`;
  if (parent === undefined) {
    return {
      severity: 'warn',
      message: `bans are not enforced on this network: ${past}, and it names no parent interface`,
      fix: 'make the network with a parent (driver_opts: parent: eth0), or publish its ports from a bridge network',
    };
  }
  if (addresses.length === 0) {
    return {
      severity: 'warn',
      message: `bans are not enforced on this network: ${past}, and the engine tells no address of the container`,
      fix: 'restart the container, or publish its ports from a bridge network',
    };
  }
  return {
    severity: 'info',
    message: `bans are enforced where packets enter by ${parent}: ${past}. This host and other containers on ${parent} don't come that way, and are not shut out`,
    fix: 'nothing, unless attacks come from this host or its other containers: then publish the ports from a bridge network',
  };
}
