import type { InspectedContainer, ListedContainer } from './engine/engine-answers.ts';
import type { Inspection } from './inspection.ts';
import type { ContainerSnapshot } from './snapshot.ts';

/** A name stands in events and answers. */
const longestName = 255;

/**
 * @param namespaceOwner the container whose network it shares (`network_mode: container:…` or `service:…`): that one publishes its ports
 */
export function containerSnapshot(
  { container, tag, publishedPorts }: Inspection,
  namespaceOwner: Omit<Inspection, 'tag'> = { container, publishedPorts },
): ContainerSnapshot {
  const owner = namespaceOwner.container;
  const createdAt = Date.parse(container.Created ?? '');
  const { Type, Config } = container.HostConfig.LogConfig ?? {};
  return {
    id: container.Id,
    name: container.Name.replace(/^\//, '').slice(0, longestName),
    image: container.Config.Image ?? '',
    ...(container.Image && { imageId: container.Image }),
    labels: container.Config.Labels ?? {},
    // Where the oldest counts, one of unknown age is the youngest.
    createdAt: Number.isNaN(createdAt) ? Number.MAX_SAFE_INTEGER : createdAt,
    hostNetwork: owner.HostConfig.NetworkMode === 'host',
    networks: Object.keys(owner.NetworkSettings?.Networks ?? {}).toSorted(),
    ...addressesOf(owner),
    publishedPorts: namespaceOwner.publishedPorts,
    logging: { driver: Type ?? '', options: Config ?? {}, tag },
  };
}

/** As much of a container as the list of containers says, in place of an inspection. */
export function listedOnly(entry: ListedContainer): InspectedContainer {
  const { Id, Image, ImageID, Created, Labels, HostConfig, NetworkSettings } = entry;
  const created = new Date((Created ?? Number.NaN) * 1000);
  return {
    Id,
    Name: nameOf(entry),
    Created: Number.isNaN(created.valueOf()) ? undefined : created.toISOString(),
    Image: ImageID,
    Config: { Image, Labels: Labels ?? {} },
    HostConfig: { NetworkMode: HostConfig?.NetworkMode },
    NetworkSettings,
  };
}

/** Without the leading slash. */
export function nameOf({ Names, Id }: ListedContainer): string {
  return Names?.[0]?.replace(/^\//, '').slice(0, longestName) || Id.slice(0, 12);
}

/** The id of the container whose network namespace this one joins, if it does. */
export function namespaceOwnerOf(networkMode: string | null | undefined): string | undefined {
  return /^container:([\da-f]{64})$/.exec(networkMode ?? '')?.[1];
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
