import { canonicalAddress, familyOf, type Family } from '../../net/address.ts';
import type { ClosedPort } from '../../config/jail-spec.ts';
import { compare } from '../../text/compare.ts';

/** The ports that concern a family, in as few ranges as possible and in an order that depends on nothing else. */
export function mergedPorts(family: Family, ports: readonly ClosedPort[]): ClosedPort[] {
  const merged: ClosedPort[] = [];
  const sorted = ports
    .map((port) => ({ ...port, hostAddress: restriction(port.hostAddress) }))
    .filter(({ hostAddress }) => hostAddress === undefined || familyOf(hostAddress) === family)
    .toSorted((a, b) => compare(groupOf(a), groupOf(b)) || a.first - b.first);
  for (const port of sorted) {
    const previous = merged.at(-1);
    if (previous && groupOf(previous) === groupOf(port) && port.first <= previous.last + 1) {
      merged[merged.length - 1] = { ...previous, last: Math.max(previous.last, port.last) };
    } else merged.push(port);
  }
  return merged;
}

/** Those of both families in turn; what isn't restricted to an address is the same in both. */
export function portsOfBoth(ports: readonly ClosedPort[]): ClosedPort[] {
  const restricted = mergedPorts(6, ports).filter(({ hostAddress }) => hostAddress !== undefined);
  return [...mergedPorts(4, ports), ...restricted];
}

/** How iptables matches the port that a connection was addressed to, before Docker's DNAT. */
export function conntrackPort({ first, last, hostAddress }: ClosedPort): string {
  const destination = hostAddress === undefined ? '' : `--ctorigdst ${hostAddress} `;
  return `${destination}--ctorigdstport ${first === last ? first : `${first}:${last}`}`;
}

/**
 * The one address a port is published on. All addresses of one family count as all of both: docker-proxy may listen for IPv6 on
 * behalf of a container that has only IPv4.
 */
function restriction(hostAddress: string | undefined): string | undefined {
  const address = hostAddress === undefined ? undefined : canonicalAddress(hostAddress);
  return address === '0.0.0.0' || address === '::' ? undefined : address;
}

function groupOf({ protocol, hostAddress }: ClosedPort): string {
  return `${protocol} ${hostAddress ?? ''}`;
}
