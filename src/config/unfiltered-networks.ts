import type { ContainerSnapshot, NetworkSnapshot } from '../docker/snapshot.ts';
import type { ConfigProblem } from './jail-spec.ts';

/** Drivers whose containers stand in the local network by themselves: their packets pass none of the host's chains. */
const drivers: ReadonlySet<string> = new Set(['macvlan', 'ipvlan']);

/** Containers that bans can't protect on some network, each told once a network. */
export function unfilteredNetworks(
  containers: readonly ContainerSnapshot[],
  networks: readonly NetworkSnapshot[],
): ConfigProblem[] {
  const unfiltered = networks.filter(({ driver }) => drivers.has(driver));
  return containers.flatMap(({ name: container, networks: joined }) =>
    unfiltered
      .filter(({ name }) => joined.includes(name))
      .map(({ name, driver }) => ({
        severity: 'warn' as const,
        where: `container ${container}, network ${name}`,
        message: `bans are not enforced on this network: with the driver ${driver}, packets pass none of the host's chains`,
        fix: 'publish its ports from a bridge network, or shut offenders out in front of this host',
        container,
      })),
  );
}
