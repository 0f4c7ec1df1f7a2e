import {
  isOurLabel,
  type ListedContainer,
  type ListedNetwork,
  type ListedService,
} from './engine/engine-answers.ts';
import type { ContainerSnapshot, Protocol, PublishedPort } from './snapshot.ts';

const protocols: readonly Protocol[] = ['tcp', 'udp', 'sctp'];

/** The id of the Swarm service of which a container is a task, by its labels: anyone can write these. */
export function serviceOf({ Labels }: Pick<ListedContainer, 'Labels'>): string | undefined {
  return Labels?.['com.docker.swarm.service.id'] || undefined;
}

/**
 * Whether a container is on Swarm's ingress network. Only tasks of services can be: Docker refuses all others, and writes a task's labels
 * `com.docker.swarm.*` over those of the service's author.
 */
export function isOnIngress(
  { NetworkSettings }: Pick<ListedContainer, 'NetworkSettings'>,
  networks: readonly ListedNetwork[],
): boolean {
  const joined = Object.values(NetworkSettings?.Networks ?? {});
  return networks.some(({ Id, Ingress }) => Id && Ingress && joined.some((one) => one?.NetworkID === Id));
}

/** The labels of a task, and those for dock2ban of its service (compose: `deploy.labels`). The task's own take precedence. */
export function withServiceLabels(
  labels: Readonly<Record<string, string>>,
  service: ListedService | undefined,
): Readonly<Record<string, string>> {
  const ofService = Object.entries(service?.Spec?.Labels ?? {}).filter(([name]) => isOurLabel(name));
  return ofService.length === 0 ? labels : { ...Object.fromEntries(ofService), ...labels };
}

/**
 * A task with the labels of its service, and with the ports that every node publishes for it by the ingress network, which only the service
 * knows. Those with `mode: host` are the container's own already.
 * @param service undefined: this engine doesn't tell
 * @param hasIngress whether it is on the ingress network
 */
export function withService(
  container: ContainerSnapshot,
  service: ListedService | undefined,
  hasIngress: boolean,
): ContainerSnapshot {
  if (!service) return hasIngress ? { ...container, hiddenServicePorts: true } : container;
  return {
    ...container,
    labels: withServiceLabels(container.labels, service),
    publishedPorts: [...container.publishedPorts, ...(hasIngress ? ingressPorts(service) : [])],
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
