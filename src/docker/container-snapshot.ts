import type { InspectedContainer } from './engine-answers.ts';
import { renderLogTag } from './log-tag.ts';
import { readBindings } from './port-bindings.ts';
import type { ContainerSnapshot } from './snapshot.ts';

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
    imageId: inspected.Image,
    labels: inspected.Config.Labels ?? {},
    createdAt: Date.parse(inspected.Created),
    hostNetwork: namespaceOwner.HostConfig.NetworkMode === 'host',
    networks: Object.keys(namespaceOwner.NetworkSettings?.Networks ?? {}).toSorted(),
    ...addressesOf(namespaceOwner),
    // The engine has expanded ranges already.
    publishedPorts: readBindings(namespaceOwner.NetworkSettings?.Ports).ports,
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
