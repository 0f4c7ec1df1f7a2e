import type { InspectedContainer } from './engine-answers.ts';
import { renderLogTag } from './log-tag.ts';
import type { ContainerSnapshot, Protocol, PublishedPort } from './snapshot.ts';

/**
 * @param inspected the container
 * @param namespaceOwner the container whose network it shares (`network_mode: container:…` or `service:…`): that one publishes its ports
 */
export function containerSnapshot(
  inspected: InspectedContainer,
  namespaceOwner: InspectedContainer = inspected,
): ContainerSnapshot {
  const name = inspected.Name.replace(/^\//, '');
  const image = inspected.Config.Image ?? '';
  const driver = inspected.HostConfig.LogConfig?.Type ?? '';
  const options = inspected.HostConfig.LogConfig?.Config ?? {};
  const tag = renderLogTag(driver, options, {
    id: inspected.Id,
    name,
    imageName: image,
    imageId: inspected.Image,
    command: [inspected.Path ?? '', ...(inspected.Args ?? [])],
  });
  return {
    id: inspected.Id,
    name,
    image,
    labels: inspected.Config.Labels ?? {},
    createdAt: Date.parse(inspected.Created),
    hostNetwork: namespaceOwner.HostConfig.NetworkMode === 'host',
    networks: Object.keys(namespaceOwner.NetworkSettings?.Networks ?? {}).toSorted(),
    ...addressesOf(namespaceOwner),
    publishedPorts: publishedPorts(namespaceOwner),
    logging: { driver, options, tag },
  };
}

/** The id of the container whose network namespace this one joins, if it does. */
export function namespaceOwnerOf(inspected: InspectedContainer): string | undefined {
  return /^container:(.+)$/.exec(inspected.HostConfig.NetworkMode ?? '')?.[1];
}

/** What its networks gave it. */
function addressesOf({ NetworkSettings }: InspectedContainer): Pick<ContainerSnapshot, 'addresses'> {
  const known = Object.entries(NetworkSettings?.Networks ?? {})
    .map(([name, endpoint]) => {
      const { IPAddress, GlobalIPv6Address } = endpoint ?? {};
      return [name, [IPAddress, GlobalIPv6Address].flatMap((address) => address || [])] as const;
    })
    .filter(([, addresses]) => addresses.length > 0);
  return known.length > 0 ? { addresses: Object.fromEntries(known) } : {};
}

const protocols: readonly Protocol[] = ['tcp', 'udp', 'sctp'];

/** The engine has expanded ranges already: one key a port, `80/tcp`, with null for what is only exposed. */
function publishedPorts(inspected: InspectedContainer): PublishedPort[] {
  const ports: PublishedPort[] = [];
  for (const [key, bindings] of Object.entries(inspected.NetworkSettings?.Ports ?? {})) {
    const [containerPort, name] = key.split('/');
    const protocol = protocols.find((known) => known === name);
    if (!protocol) continue;
    for (const { HostIp, HostPort } of bindings ?? []) {
      const hostPort = Number(HostPort);
      if (!Number.isInteger(hostPort) || hostPort <= 0) continue;
      // Some engines leave the address empty when it is all of both families.
      for (const hostAddress of HostIp ? [HostIp] : ['0.0.0.0', '::']) {
        ports.push({
          protocol,
          hostAddress,
          hostPort,
          containerPort: Number(containerPort),
        });
      }
    }
  }
  return ports;
}
