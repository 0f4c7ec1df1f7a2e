import { canonicalAddress } from '../../net/address.ts';
import type { ContainerSnapshot, NetworkSnapshot } from '../../docker/snapshot.ts';
import type { Closes, DirectPath } from '../jail-spec.ts';

/** Drivers whose containers stand in the local network by themselves: their packets pass none of the host's chains. */
const drivers: ReadonlySet<string> = new Set(['macvlan', 'ipvlan']);

/** A network of such a driver that a container is on. */
export interface DirectNetwork {
  readonly name: string;
  readonly driver: string;
  /** The host's interface at whose ingress its packets can be dropped; undefined: not known. */
  readonly parent: string | undefined;
  /** The container's addresses there. Canonical. */
  readonly addresses: readonly string[];
}

/** The networks in which a container stands by itself. */
export function directNetworks(
  { networks: joined, addresses }: ContainerSnapshot,
  networks: readonly NetworkSnapshot[],
): DirectNetwork[] {
  return networks
    .filter(({ name, driver }) => drivers.has(driver) && joined.includes(name))
    .map(({ name, driver, parent }) => ({
      name,
      driver,
      parent: parent !== undefined && isInterfaceName(parent) ? parent : undefined,
      addresses: (addresses?.[name] ?? []).flatMap((address) => canonicalAddress(address) ?? []),
    }));
}

/**
 * What a ban closes at a container's addresses in the local network.
 * @param choice what its labels say; nothing is published there, so that `published` is everything
 */
export function directPaths(networks: readonly DirectNetwork[], choice: Closes | 'published'): DirectPath[] {
  return networks.flatMap(({ parent, addresses }) =>
    parent === undefined || addresses.length === 0
      ? []
      : [{ parent, addresses, closes: choice === 'published' ? 'all' : choice }],
  );
}

/** Letters, digits, and what stands in names such as `eth0.50` and `br-lan`; the kernel takes up to 15. */
function isInterfaceName(text: string): boolean {
  return /^[\w.-]{1,15}$/.test(text);
}
