import { containerSnapshot, nameOf } from './container-snapshot.ts';
import type { ListedContainer } from './engine/engine-answers.ts';
import type { Inspection } from './inspection.ts';
import { readPortBindings } from './port-bindings.ts';
import { OwnedPorts, type PortOwners } from './port-owners.ts';
import type { AwaitedContainer } from './snapshot.ts';
import { serviceOf } from './swarm-service.ts';

/** Those labels that concern ports before a container runs. */
const label = /^fail2ban\.(?:allow|deny)from$/i;
const states: ReadonlySet<string> = new Set(['created', 'exited', 'restarting']);

/**
 * Whether a container doesn't run, but may be started, and its labels say who gets to its ports. A task of a Swarm service is none of them: it
 * never starts again, and its ports are the service's, on every node.
 */
export function isAwaited(entry: ListedContainer): boolean {
  if (!states.has(entry.State) || serviceOf(entry) !== undefined) return false;
  return Object.keys(entry.Labels ?? {}).some((name) => label.test(name));
}

/**
 * Of several that are to publish the same port, it counts for the one that did last, or, if none was seen to, for the newest.
 * @param inspectionOf undefined: of one that can't be looked at, since it is being removed, nothing is said
 */
export function awaitedContainers(
  entries: readonly ListedContainer[],
  inspectionOf: (id: string) => Inspection | undefined,
  owners: PortOwners,
): AwaitedContainer[] {
  const claimed = new OwnedPorts();
  return entries
    .flatMap((entry): AwaitedContainer[] => {
      const inspection = inspectionOf(entry.Id);
      if (!inspection) return [];
      const { ports, hasOthers } = readPortBindings(inspection.container.HostConfig);
      const snapshot = containerSnapshot(inspection);
      return [{ ...snapshot, name: nameOf(entry), publishedPorts: ports, hasUnknownPorts: hasOthers }];
    })
    .toSorted((a, b) => b.createdAt - a.createdAt)
    .map((container) => {
      const { id } = container;
      const publishedPorts = container.publishedPorts.filter(
        (port) => !owners.isOfAnother(port, id) && !claimed.isOfAnother(port, id),
      );
      for (const port of publishedPorts) claimed.add(port, id);
      return { ...container, publishedPorts };
    });
}
