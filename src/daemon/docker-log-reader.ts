import {
  type ContainerFollowing,
  FollowedContainer,
  type Positions,
  type WantedContainer,
} from './followed-container.ts';
import type { JailRegistry } from './jail-registry.ts';

/** What the reader works with; without positions, those of this run are remembered. */
export type DockerLogReaderParts = Omit<ContainerFollowing, 'positions'> & { readonly positions?: Positions };

const name = "Docker's log API";

/** Reads containers' logs from Docker's log API, each once, however many jails it is in. */
export class DockerLogReader {
  readonly #shared: ContainerFollowing;
  /** By container id. */
  readonly #followed = new Map<string, FollowedContainer>();
  /** Ids of the containers for which the engine can't be reached. */
  readonly #unreached = new Set<string>();

  constructor(parts: DockerLogReaderParts) {
    this.#shared = { ...parts, positions: parts.positions ?? new RememberedPositions() };
  }

  /** Follows the jails' sources; a container that has stopped is let go, once its last lines are read. */
  update(registry: JailRegistry): void {
    const wanted = wantedContainers(registry);
    for (const [id, followed] of this.#followed) {
      if (followed.hasEnded) this.#followed.delete(id);
      else if (!wanted.has(id)) followed.leave();
    }
    for (const [id, container] of wanted) {
      const followed = this.#followed.get(id);
      if (followed) followed.want(container);
      else this.#followed.set(id, this.#follow(container));
    }
  }

  /** Lets everything go. */
  async close(): Promise<void> {
    await Promise.all([...this.#followed.values()].map((followed) => followed.close()));
  }

  #follow(container: WantedContainer): FollowedContainer {
    return new FollowedContainer(container, this.#shared, {
      lost: (id, message, fix) => {
        this.#unreached.add(id);
        if (this.#unreached.size === 1) this.#shared.events.sourceLost(name, message, fix);
      },
      resumed: (id) => {
        if (this.#unreached.delete(id) && this.#unreached.size === 0) this.#shared.events.sourceResumed(name);
      },
    });
  }
}

function wantedContainers(registry: JailRegistry): Map<string, WantedContainer> {
  const wanted = new Map<string, WantedContainer>();
  for (const jail of registry.active.values()) {
    for (const source of jail.jail.spec.sources) {
      if (source.kind !== 'docker') continue;
      const { containerId: id, container } = source;
      const jails = wanted.get(id)?.jails ?? [];
      wanted.set(id, { id, name: container, jails: jails.includes(jail) ? jails : [...jails, jail] });
    }
  }
  return wanted;
}

/** Positions of this process alone: of the containers that were read last. */
class RememberedPositions implements Positions {
  readonly #positions = new Map<string, string>();

  get(source: string): string | undefined {
    return this.#positions.get(source);
  }

  set(source: string, position: string): void {
    this.#positions.delete(source);
    this.#positions.set(source, position);
    if (this.#positions.size > mostRemembered) this.#positions.delete(this.#positions.keys().next().value!);
  }
}

const mostRemembered = 1000;
