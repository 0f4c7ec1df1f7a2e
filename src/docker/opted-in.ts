import { containerSnapshot, namespaceOwnerOf } from './container-snapshot.ts';
import type { InspectedContainer, ListedContainer, ListedService } from './engine-answers.ts';
import type { EngineClient } from './engine-client.ts';
import type { ContainerSnapshot } from './snapshot.ts';
import { serviceOf, withService, withServiceLabels } from './swarm-service.ts';

const labelPrefix = 'fail2ban.';

interface Known {
  /** What the list said of the container when it was inspected. */
  readonly changeKey: string;
  readonly inspected: InspectedContainer;
  readonly snapshot: ContainerSnapshot;
}

/**
 * The running containers that carry a `fail2ban.` label, inspected only when the list shows them changed.
 *
 * - A paused container is running: its ports stay published.
 * - A restarting one (crash loop) keeps the ports it was last seen with, so that its bans don't come and go with it.
 * - A task of a Swarm service may carry the label by its service, and has the ports that this publishes.
 * - A container renamed while it runs keeps its log tag, as Docker renders the tag when the container starts.
 */
export class OptedInContainers {
  #known = new Map<string, Known>();

  /** @param listed every container, whatever its state */
  async list(
    listed: readonly ListedContainer[],
    client: EngineClient,
    signal: AbortSignal,
  ): Promise<ContainerSnapshot[]> {
    const services = await readServices(listed, client, signal);
    const known = new Map<string, Known>();
    const snapshots: ContainerSnapshot[] = [];
    for (const entry of listed) {
      const id = serviceOf(entry);
      const service = id === undefined ? undefined : services.get(id);
      if (!isRunning(entry) || !hasOptedIn(entry, service)) continue;
      const current = await this.#look(entry, listed, client, signal);
      if (!current) continue;
      known.set(entry.Id, current);
      const { snapshot } = current;
      snapshots.push(id === undefined ? snapshot : withService(snapshot, service, labelPrefix));
    }
    this.#known = known;
    return snapshots;
  }

  /** Undefined if the container has vanished since it was listed. */
  async #look(
    entry: ListedContainer,
    listed: readonly ListedContainer[],
    client: EngineClient,
    signal: AbortSignal,
  ): Promise<Known | undefined> {
    const before = this.#known.get(entry.Id);
    const owner = before && namespaceOwnerOf(before.inspected);
    const changeKey = keyOf(entry, owner === undefined ? undefined : find(listed, owner));
    if (before && (before.changeKey === changeKey || entry.State === 'restarting')) return before;

    const inspected = await client.inspectContainer(entry.Id, signal);
    if (!inspected) return undefined;
    const ownerId = namespaceOwnerOf(inspected);
    const ownerInspected = ownerId === undefined ? undefined : await client.inspectContainer(ownerId, signal);
    const snapshot = containerSnapshot(inspected, ownerInspected);
    return {
      changeKey: keyOf(entry, ownerId === undefined ? undefined : find(listed, ownerId)),
      inspected,
      snapshot: isSameRun(before?.inspected, inspected)
        ? { ...snapshot, logging: { ...snapshot.logging, tag: before!.snapshot.logging.tag } }
        : snapshot,
    };
  }
}

/** Services by id; without a task of one, the engine isn't asked. */
async function readServices(
  listed: readonly ListedContainer[],
  client: EngineClient,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ListedService>> {
  const ids = new Set(listed.filter(isRunning).flatMap((entry) => serviceOf(entry) ?? []));
  if (ids.size === 0) return new Map();
  const services = (await client.listServices([...ids], signal)) ?? [];
  return new Map(services.map((service) => [service.ID, service]));
}

function isRunning({ State }: ListedContainer): boolean {
  return State === 'running' || State === 'paused' || State === 'restarting';
}

function hasOptedIn({ Labels }: ListedContainer, service: ListedService | undefined): boolean {
  return Object.keys(withServiceLabels(Labels ?? {}, service, labelPrefix)).some((label) =>
    label.toLowerCase().startsWith(labelPrefix),
  );
}

/** Everything listed that a snapshot depends on. A restart shows in the endpoints' ids of NetworkSettings. */
function keyOf(entry: ListedContainer, owner: ListedContainer | undefined): string {
  const { State, Names, Ports, NetworkSettings } = entry;
  return JSON.stringify([
    State,
    Names,
    Ports,
    NetworkSettings,
    owner && [owner.Ports, owner.NetworkSettings],
  ]);
}

function find(listed: readonly ListedContainer[], id: string): ListedContainer | undefined {
  return listed.find(({ Id }) => Id === id);
}

function isSameRun(before: InspectedContainer | undefined, now: InspectedContainer): boolean {
  return typeof before?.State?.StartedAt === 'string' && before.State.StartedAt === now.State?.StartedAt;
}
