import * as z from 'zod';
import type { ListedContainer } from './engine-answers.ts';
import type { PublishedPort } from './snapshot.ts';

/** A port of the host, whatever stands behind it. */
export type HostPort = Pick<PublishedPort, 'hostAddress' | 'hostPort'> & { readonly protocol: string };

/** `Ports` of `GET /containers/json`. */
const listedPorts = z.array(
  z.object({ IP: z.string().nullish(), PublicPort: z.number().nullish(), Type: z.string().nullish() }),
);

/** Which container published which port of the host last: as long as it exists, no other one that doesn't run has a say in it. */
export class PortOwners {
  /** By id of the container: what it published when it ran last, but for what another one has published since. */
  #last: ReadonlyMap<string, readonly HostPort[]> = new Map();

  /** @param listed every container, whatever its state */
  look(listed: readonly ListedContainer[]): void {
    const now = new Map(
      listed
        .filter(({ State }) => State === 'running' || State === 'paused')
        .map((entry) => [entry.Id, portsOf(entry)] as const)
        .filter(([, ports]) => ports.length > 0),
    );
    const inUse = new Map<string, HostPort[]>();
    for (const port of [...now.values()].flat())
      inUse.set(keyOf(port), [...(inUse.get(keyOf(port)) ?? []), port]);
    const before = listed.filter(({ Id }) => !now.has(Id));
    const left = before.map(({ Id }) => {
      const ports = this.#last.get(Id) ?? [];
      return [
        Id,
        ports.filter((port) => !inUse.get(keyOf(port))?.some((other) => overlap(port, other))),
      ] as const;
    });
    this.#last = new Map([...now, ...left.filter(([, ports]) => ports.length > 0)]);
  }

  /** Whether a container other than this one published the port last. */
  isOfAnother(port: HostPort, id: string): boolean {
    for (const [owner, ports] of this.#last) {
      if (owner !== id && ports.some((other) => overlap(port, other))) return true;
    }
    return false;
  }
}

function portsOf({ Ports }: ListedContainer): HostPort[] {
  const { data = [] } = listedPorts.safeParse(Ports);
  return data.flatMap(({ IP, PublicPort, Type }) =>
    PublicPort && Type ? [{ protocol: Type, hostAddress: IP ?? '', hostPort: PublicPort }] : [],
  );
}

function keyOf({ protocol, hostPort }: HostPort): string {
  return `${hostPort}/${protocol}`;
}

/** Whether not both can be published at a time. */
export function overlap(a: HostPort, b: HostPort): boolean {
  const isEvery = ({ hostAddress }: HostPort): boolean => /^(?:0\.0\.0\.0|::|)$/.test(hostAddress);
  return keyOf(a) === keyOf(b) && (isEvery(a) || isEvery(b) || a.hostAddress === b.hostAddress);
}
