import { bridgesHere } from '../../docker/bridges-here.ts';
import type { ContainerSnapshot, NetworkSnapshot } from '../../docker/snapshot.ts';
import type { ConfigProblem } from '../jail-spec.ts';

/**
 * What is wrong if packets of the containers don't pass the network namespace that has these addresses. A bridge is up only
 * while a container is on it, so that only networks of running containers tell.
 */
export function foreignHost(
  addresses: readonly string[],
  containers: readonly Pick<ContainerSnapshot, 'name' | 'networks'>[],
  networks: readonly NetworkSnapshot[],
): ConfigProblem[] {
  const bridges = new Set(networks.filter(({ driver }) => driver === 'bridge').map(({ name }) => name));
  const bridged = containers.filter((container) => container.networks.some((name) => bridges.has(name)));
  if (bridged.length === 0 || bridgesHere(addresses, networks)) return [];
  const problem: ConfigProblem = {
    severity: 'warn',
    where: 'network namespace',
    message: `bans are not enforced: this is not the network of the host whose containers are watched, so no packet to ${bridged.map(({ name }) => name).join(', ')} passes the rules`,
    fix: 'start dock2ban with the host network (compose: network_mode: host; docker run --network host) of the machine that runs the engine; `dock2ban doctor` tells more',
  };
  return [problem];
}
