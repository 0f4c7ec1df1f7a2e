import type { ContainerSnapshot } from '../../src/docker/snapshot.ts';

/** A container behind the syslog driver that publishes 80 and 443 on all interfaces. */
export function container(
  name: string,
  labels: Record<string, string>,
  more: Partial<ContainerSnapshot> = {},
): ContainerSnapshot {
  const published = (hostPort: number, hostAddress: string) =>
    ({ protocol: 'tcp', hostAddress, hostPort, containerPort: hostPort }) as const;
  return {
    id: name.padEnd(64, '0'),
    name,
    image: 'nginx',
    labels,
    createdAt: 1,
    hostNetwork: false,
    networks: ['bridge'],
    publishedPorts: [
      published(80, '0.0.0.0'),
      published(80, '::'),
      published(443, '0.0.0.0'),
      published(443, '::'),
    ],
    logging: { driver: 'syslog', options: {}, tag: name },
    ...more,
  };
}
