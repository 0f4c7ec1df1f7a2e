import type { ListedContainer } from './engine/engine-answers.ts';
import { listedPorts } from './port-bindings.ts';
import type { PublishedPort } from './snapshot.ts';

/** A port of the host, whatever stands behind it. */
type HostPort = Pick<PublishedPort, 'hostAddress' | 'hostPort' | 'protocol'>;

/** Ports of the host, each with the container that has it. */
export class OwnedPorts {
  readonly #byNumber = new Map<string, { readonly port: HostPort; readonly owner: string }[]>();

  add(port: HostPort, owner: string): void {
    const key = keyOf(port);
    const others = this.#byNumber.get(key);
    if (others) others.push({ port, owner });
    else this.#byNumber.set(key, [{ port, owner }]);
  }

  /** Whether a container other than this one has a port that can't be published together with this one. */
  isOfAnother(port: HostPort, id: string): boolean {
    return (
      this.#byNumber.get(keyOf(port))?.some((each) => each.owner !== id && overlap(port, each.port)) ?? false
    );
  }
}

/** Which container published which port of the host last: as long as it exists, no other one that doesn't run has a say in it. */
export class PortOwners {
  /** By id of the container: what it published when it ran last, but for what another one has published since. */
  #last: ReadonlyMap<string, readonly HostPort[]> = new Map();
  #owned = new OwnedPorts();

  /** @param listed every container, whatever its state */
  look(listed: readonly ListedContainer[]): void {
    const now = new Map<string, readonly HostPort[]>(
      listed
        .filter(({ State }) => State === 'running' || State === 'paused')
        .map((entry) => [entry.Id, listedPorts(entry).ports] as const)
        .filter(([, ports]) => ports.length > 0),
    );
    const owned = new OwnedPorts();
    for (const [id, ports] of now) for (const port of ports) owned.add(port, id);
    const left = listed
      .filter(({ Id }) => !now.has(Id))
      .map(({ Id }) => {
        const ports = this.#last.get(Id) ?? [];
        return [Id, ports.filter((port) => !owned.isOfAnother(port, Id))] as const;
      })
      .filter(([, ports]) => ports.length > 0);
    for (const [id, ports] of left) for (const port of ports) owned.add(port, id);
    this.#last = new Map([...now, ...left]);
    this.#owned = owned;
  }

  /** Whether a container other than this one published the port last. */
  isOfAnother(port: HostPort, id: string): boolean {
    return this.#owned.isOfAnother(port, id);
  }
}

function keyOf({ protocol, hostPort }: HostPort): string {
  return `${hostPort}/${protocol}`;
}

/** Whether two ports conflict: one of them at most can be published at a time. */
function overlap(a: HostPort, b: HostPort): boolean {
  const isEvery = ({ hostAddress }: HostPort): boolean => /^(?:0\.0\.0\.0|::)$/.test(hostAddress);
  return isEvery(a) || isEvery(b) || a.hostAddress === b.hostAddress;
}
