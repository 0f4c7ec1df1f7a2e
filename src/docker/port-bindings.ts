import { isIP } from 'node:net';
import * as z from 'zod';
import { port, type InspectedContainer, type ListedContainer } from './engine/engine-answers.ts';
import type { Protocol, PublishedPort } from './snapshot.ts';

type Bindings = NonNullable<InspectedContainer['NetworkSettings']>['Ports'];

/** What was read of ports, and what could not be. */
export interface ReadPorts {
  readonly ports: readonly PublishedPort[];
  /** For people: `"70000/tcp" on "0.0.0.0"`. */
  readonly unreadable: readonly string[];
}

const protocols: readonly Protocol[] = ['tcp', 'udp', 'sctp'];

/** Some engines leave the address empty when it is all of both families. */
const everywhere = ['0.0.0.0', '::'];

/** Reads published ports as an inspection has them, one key a port of the container: `80/tcp`, with null for what is only exposed. */
export function readBindings(bindings: Bindings): ReadPorts {
  const ports: PublishedPort[] = [];
  const unreadable: string[] = [];
  for (const [key, places] of Object.entries(bindings ?? {})) {
    const [, container = '', name] = /^(\d+)\/(\w+)$/.exec(key) ?? [];
    const protocol = protocols.find((known) => known === name);
    const containerPort = portOf(container);
    for (const { HostIp, HostPort } of places ?? []) {
      const hostPort = portOf(HostPort ?? '');
      const addresses = addressesOf(HostIp);
      if (!protocol || containerPort === undefined || hostPort === undefined || !addresses) {
        unreadable.push(quoted([HostIp, HostPort, key]));
        continue;
      }
      for (const hostAddress of addresses) ports.push({ protocol, hostAddress, hostPort, containerPort });
    }
  }
  return { ports, unreadable };
}

/** What a container is to publish, as it was created: the ports that are fixed, and whether there are others, which the engine chooses. */
export function readPortBindings({ PortBindings, PublishAllPorts }: InspectedContainer['HostConfig']): {
  readonly ports: readonly PublishedPort[];
  readonly hasOthers: boolean;
} {
  const { ports, unreadable } = readBindings(PortBindings);
  return { ports, hasOthers: unreadable.length > 0 || PublishAllPorts === true };
}

/** An entry of `Ports` in the list of containers. */
const listedPort = z.object({
  IP: z.string().nullish(),
  PrivatePort: port,
  PublicPort: port,
  Type: z.enum(protocols),
});

/** Reads published ports as the list of containers has them. */
export function listedPorts({ Ports }: ListedContainer): ReadPorts {
  const ports: PublishedPort[] = [];
  const unreadable: string[] = [];
  for (const each of Ports ?? []) {
    const { data } = listedPort.safeParse(each);
    const addresses = data && addressesOf(data.IP);
    if (data && addresses) {
      const { PrivatePort: containerPort, PublicPort: hostPort, Type: protocol } = data;
      for (const hostAddress of addresses) ports.push({ protocol, hostAddress, hostPort, containerPort });
    } else if (!isExposedOnly(each)) unreadable.push(quoted(typeof each === 'object' ? each : [each]));
  }
  return { ports, unreadable };
}

function isExposedOnly(entry: unknown): boolean {
  return typeof entry === 'object' && entry !== null && (!('PublicPort' in entry) || !entry.PublicPort);
}

/** Only in the one spelling that an engine uses, so that nothing is read in another way than it does. */
function portOf(text: string): number | undefined {
  const number = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : 0;
  return number > 0 && number <= 65_535 ? number : undefined;
}

/** Undefined: it is none. */
function addressesOf(text: string | null | undefined): readonly string[] | undefined {
  if (!text) return everywhere;
  return isIP(text) > 0 && !text.includes('%') ? [text] : undefined;
}

/** A part is enough to find it. */
function quoted(values: object | null): string {
  const texts = Object.values(values ?? {}).flatMap((value: unknown) =>
    typeof value === 'string' || typeof value === 'number' ? `${value}`.slice(0, 40) : [],
  );
  return JSON.stringify(texts.slice(0, 4).join(' '));
}
