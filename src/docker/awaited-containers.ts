import { Dock2banError } from '../errors.ts';
import { containerSnapshot } from './container-snapshot.ts';
import type { InspectedContainer, ListedContainer } from './engine-answers.ts';
import type { EngineClient } from './engine-client.ts';
import { overlap, PortOwners } from './port-owners.ts';
import { readPortBindings } from './port-bindings.ts';
import type { AwaitedContainer, PublishedPort } from './snapshot.ts';
import { serviceOf } from './swarm-service.ts';

/** Those labels that concern ports before a container runs. */
const label = /^fail2ban\.(?:allow|deny)from$/i;
const states: ReadonlySet<string> = new Set(['created', 'exited', 'restarting']);

/**
 * The containers that don't run, but may be started, and whose labels say who gets to their ports; inspected only when they are new. A task of a
 * Swarm service is none of them: it never starts again, and its ports are the service's, on every node. Of several that are to publish the same
 * port, it counts for the one that did last, or, if none was seen to, for the newest.
 */
export class AwaitedContainers {
  readonly #owners = new PortOwners();
  #known = new Map<string, InspectedContainer>();

  /** @param listed every container, whatever its state */
  async list(
    listed: readonly ListedContainer[],
    client: EngineClient,
    signal: AbortSignal,
  ): Promise<AwaitedContainer[]> {
    this.#owners.look(listed);
    const known = new Map<string, InspectedContainer>();
    const candidates: AwaitedContainer[] = [];
    for (const entry of listed.filter(isCandidate)) {
      const inspected = this.#known.get(entry.Id) ?? (await inspect(client, entry.Id, signal));
      if (!inspected) continue;
      known.set(entry.Id, inspected);
      candidates.push(awaited(entry, inspected));
    }
    this.#known = known;
    const claimed: PublishedPort[] = [];
    return candidates
      .toSorted((a, b) => b.createdAt - a.createdAt)
      .map((container) => {
        const publishedPorts = container.publishedPorts.filter(
          (port) =>
            !this.#owners.isOfAnother(port, container.id) && !claimed.some((other) => overlap(port, other)),
        );
        claimed.push(...publishedPorts);
        return { ...container, publishedPorts };
      });
  }
}

function isCandidate(entry: ListedContainer): boolean {
  if (!states.has(entry.State) || serviceOf(entry) !== undefined) return false;
  return Object.keys(entry.Labels ?? {}).some((name) => label.test(name));
}

function awaited(entry: ListedContainer, inspected: InspectedContainer): AwaitedContainer {
  const { ports, hasOthers } = readPortBindings(inspected.HostConfig);
  return {
    ...containerSnapshot(inspected),
    name: (entry.Names?.[0] ?? inspected.Name).replace(/^\//, ''),
    publishedPorts: ports,
    hasUnknownPorts: hasOthers,
  };
}

/** Undefined if that fails: one that can't be looked at, since it is being removed, must not hold up those that run. */
async function inspect(
  client: EngineClient,
  id: string,
  signal: AbortSignal,
): Promise<InspectedContainer | undefined> {
  try {
    return await client.inspectContainer(id, signal);
  } catch (error) {
    if (signal.aborted || !(error instanceof Dock2banError)) throw error;
    return undefined;
  }
}
