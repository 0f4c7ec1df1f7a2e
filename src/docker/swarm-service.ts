import type { ListedContainer, ListedService } from './engine/engine-answers.ts';
import type { ContainerSnapshot, Protocol, PublishedPort } from './snapshot.ts';

const protocols: readonly Protocol[] = ['tcp', 'udp', 'sctp'];

/** The id of the Swarm service of which a container is a task. */
export function serviceOf({ Labels }: Pick<ListedContainer, 'Labels'>): string | undefined {
  return Labels?.['com.docker.swarm.service.id'] || undefined;
}

/** The labels of a task and of its service (compose: `deploy.labels`), with these prefixes. Those of the task stand. */
export function withServiceLabels(
  labels: Readonly<Record<string, string>>,
  service: ListedService | undefined,
  prefix: string,
): Readonly<Record<string, string>> {
  const ofService = Object.entries(service?.Spec?.Labels ?? {}).filter(([name]) => name.startsWith(prefix));
  return ofService.length === 0 ? labels : { ...Object.fromEntries(ofService), ...labels };
}

/**
 * A task of a service with what only the service knows: the ports that every node publishes for it by the ingress network. Those with
 * `mode: host` are the container's own already.
 * @param service undefined: this engine doesn't tell
 */
export function withService(
  container: ContainerSnapshot,
  service: ListedService | undefined,
  prefix: string,
): ContainerSnapshot {
  if (!service) return { ...container, hiddenServicePorts: true };
  return {
    ...container,
    labels: withServiceLabels(container.labels, service, prefix),
    publishedPorts: [...container.publishedPorts, ...ingressPorts(service)],
  };
}

function ingressPorts({ Endpoint }: ListedService): PublishedPort[] {
  return (Endpoint?.Ports ?? []).flatMap(({ Protocol, TargetPort, PublishedPort, PublishMode }) => {
    const protocol = protocols.find((known) => known === Protocol);
    if (!protocol || PublishMode !== 'ingress' || !PublishedPort) return [];
    return ['0.0.0.0', '::'].map((hostAddress) => ({
      protocol,
      hostAddress,
      hostPort: PublishedPort,
      containerPort: TargetPort ?? 0,
    }));
  });
}
