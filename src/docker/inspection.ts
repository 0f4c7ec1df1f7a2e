import { Dock2banError } from '../errors.ts';
import type { InspectedContainer } from './engine/engine-answers.ts';
import type { EngineClient } from './engine/engine-client.ts';
import type { Inquiry } from './inquiry.ts';
import { containerTag } from './log-tag.ts';
import { readBindings } from './port-bindings.ts';
import type { PublishedPort } from './snapshot.ts';

/** Milliseconds for an answer: a second try may take longer. */
const patience = { first: 3_000, later: 10_000 };

/** A container as it was looked at. */
export interface Inspection {
  readonly container: InspectedContainer;
  readonly publishedPorts: readonly PublishedPort[];
  /** As Docker rendered it when the container started. */
  readonly tag: string | undefined;
}

/** Looks at a container. @param inquiry what is known of it */
export async function inspect(
  id: string,
  client: EngineClient,
  { value: before, failures }: Inquiry<Inspection>,
  signal: AbortSignal,
): Promise<Inspection> {
  const ms = failures === 0 ? patience.first : patience.later;
  const container = await client.inspectContainer(id, signal, ms);
  // The engine has expanded ranges already.
  const { ports: publishedPorts, unreadable } = readBindings(container.NetworkSettings?.Ports);
  if (unreadable.length > 0) {
    throw new Dock2banError('docker-refused', `invalid published port ${unreadable.slice(0, 5).join(', ')}`);
  }
  const startedAt = before?.container.State?.StartedAt;
  const isSameRun = typeof startedAt === 'string' && startedAt === container.State?.StartedAt;
  return { container, publishedPorts, tag: isSameRun ? before?.tag : containerTag(container) };
}
