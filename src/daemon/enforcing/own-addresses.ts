import { BlockList } from 'node:net';
import { canonicalAddress, familyOf, parsePrefix } from '../../net/address.ts';
import type { NetworkSnapshot } from '../../docker/snapshot.ts';
import type { OwnAddresses } from '../../firewall/bans/never-ban.ts';

/** Drivers whose subnets are the local network's, with strangers in them, and not Docker's own. */
const sharedNetworkDrivers: ReadonlySet<string> = new Set(['macvlan', 'ipvlan']);

/**
 * The addresses that no jail may ban.
 * @param hostAddresses of all the host's interfaces
 */
export function ownAddresses(
  hostAddresses: readonly string[],
  networks: readonly NetworkSnapshot[],
): OwnAddresses {
  const dockerSubnets = networks
    .filter(({ driver }) => !sharedNetworkDrivers.has(driver))
    .flatMap(({ subnets }) => subnets);
  const docker = new BlockList();
  for (const subnet of dockerSubnets) {
    const prefix = parsePrefix(subnet);
    if (prefix) docker.addSubnet(prefix.address, prefix.bits, `ipv${prefix.family}`);
  }
  // Docker 20.10 doesn't name the gateway of its first network before it has been restarted: it is the host's address there.
  const unnamedGateways = hostAddresses.filter((text) => {
    const address = canonicalAddress(text);
    return address !== undefined && docker.check(address, `ipv${familyOf(address)}`);
  });
  return {
    host: hostAddresses,
    gateways: [...networks.flatMap(({ gateways }) => gateways), ...unnamedGateways],
    dockerSubnets,
  };
}
