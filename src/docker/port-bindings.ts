import type { InspectedContainer } from './engine-answers.ts';
import type { Protocol, PublishedPort } from './snapshot.ts';

type Bindings = Readonly<
  Record<
    string,
    readonly { HostIp?: string | null | undefined; HostPort?: string | null | undefined }[] | null | undefined
  >
>;

const protocols: readonly Protocol[] = ['tcp', 'udp', 'sctp'];

/**
 * Reads published ports, one key a port of the container: `80/tcp`, with null for what is only exposed.
 * @returns also whether there are others, that the engine chooses when it starts the container
 */
export function readBindings(bindings: Bindings | null | undefined): {
  readonly ports: PublishedPort[];
  readonly hasOthers: boolean;
} {
  const ports: PublishedPort[] = [];
  let hasOthers = false;
  for (const [key, places] of Object.entries(bindings ?? {})) {
    const [containerPort, name] = key.split('/');
    const protocol = protocols.find((known) => known === name);
    if (!protocol) continue;
    for (const { HostIp, HostPort } of places ?? []) {
      const hostPort = Number(HostPort);
      if (!Number.isInteger(hostPort) || hostPort <= 0) {
        hasOthers = true;
        continue;
      }
      // Some engines leave the address empty when it is all of both families.
      for (const hostAddress of HostIp ? [HostIp] : ['0.0.0.0', '::']) {
        ports.push({ protocol, hostAddress, hostPort, containerPort: Number(containerPort) });
      }
    }
  }
  return { ports, hasOthers };
}

/** What a container is to publish, as it was created: the ports that are fixed, and whether there are others. */
export function readPortBindings({ PortBindings, PublishAllPorts }: InspectedContainer['HostConfig']): {
  readonly ports: readonly PublishedPort[];
  readonly hasOthers: boolean;
} {
  const { ports, hasOthers } = readBindings(PortBindings);
  return { ports, hasOthers: hasOthers || PublishAllPorts === true };
}
