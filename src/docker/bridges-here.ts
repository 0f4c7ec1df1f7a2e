import { contains } from '../net/address.ts';
import type { NetworkSnapshot } from './snapshot.ts';

/**
 * Whether a host with these addresses carries a bridge network of Docker's. A bridge has the address that is its network's gateway; a container
 * on it has others of the subnet, so those show nothing. Docker 20.10 doesn't name the gateway of its first network before it has been
 * restarted: it is the first address then.
 */
export function bridgesHere(
  addresses: readonly string[],
  networks: readonly Pick<NetworkSnapshot, 'driver' | 'subnets' | 'gateways'>[],
): boolean {
  return networks
    .filter(({ driver }) => driver === 'bridge')
    .some(({ subnets, gateways }) =>
      addresses.some((address) =>
        gateways.length > 0
          ? gateways.includes(address)
          : /[.:]1$/.test(address) && subnets.some((subnet) => contains(subnet, address)),
      ),
    );
}
