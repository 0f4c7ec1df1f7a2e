import { containerTag } from './log-tag.ts';
import type { InspectedContainer } from './engine/engine-answers.ts';
import type { EngineClient } from './engine/engine-client.ts';
import { NotFound } from './engine/engine-error.ts';
import { Inquiry } from './inquiry.ts';
import { readBindings } from './port-bindings.ts';
import { Dock2banError } from '../errors.ts';
import type { PublishedPort } from './snapshot.ts';

/** So many at a time. */
const mostAtOnce = 16;
/** Milliseconds for an answer: a second try may take longer. */
const patience = { first: 3_000, later: 10_000 };

/** A container as it was looked at. */
export interface Inspection {
  readonly container: InspectedContainer;
  readonly publishedPorts: readonly PublishedPort[];
  /** As Docker rendered it when the container started. */
  readonly tag: string | undefined;
}

/** Looks at containers, at each by itself: one that can't be looked at, or never answers, says nothing about the others. */
export class Inspections {
  readonly #inquiries = new Map<string, Inquiry<Inspection>>();
  readonly #waiting = new Set<() => void>();
  #free = mostAtOnce;

  get(id: string): Inquiry<Inspection> | undefined {
    return this.#inquiries.get(id);
  }

  /**
   * @param key the same as long as an earlier answer will do
   * @returns what it is known by
   */
  ask(id: string, key: string, client: EngineClient, signal: AbortSignal): Inquiry<Inspection> {
    let inquiry = this.#inquiries.get(id);
    if (!inquiry) this.#inquiries.set(id, (inquiry = new Inquiry()));
    const { value, failures } = inquiry;
    const ms = failures === 0 ? patience.first : patience.later;
    inquiry.ask(key, () => this.#inTurn(() => inspect(id, ms, value, client, signal)), signal);
    return inquiry;
  }

  /** Forgets all others. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of this.#inquiries.keys()) if (!ids.has(id)) this.#inquiries.delete(id);
  }

  async #inTurn<T>(act: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.add(resolve));
    try {
      return await act();
    } finally {
      const [next] = this.#waiting;
      if (next && this.#waiting.delete(next)) next();
      else this.#free += 1;
    }
  }
}

async function inspect(
  id: string,
  ms: number,
  before: Inspection | undefined,
  client: EngineClient,
  signal: AbortSignal,
): Promise<Inspection> {
  const container = await client.inspectContainer(id, signal, ms);
  if (!container) throw new NotFound('there is no such container');
  // The engine has expanded ranges already.
  const { ports: publishedPorts, unreadable } = readBindings(container.NetworkSettings?.Ports);
  if (unreadable.length > 0) {
    throw new Dock2banError(
      'docker-refused',
      `it publishes ${unreadable.slice(0, 5).join(', ')}, which is no port`,
    );
  }
  const startedAt = before?.container.State?.StartedAt;
  const isSameRun = typeof startedAt === 'string' && startedAt === container.State?.StartedAt;
  return { container, publishedPorts, tag: isSameRun ? before?.tag : containerTag(container) };
}
