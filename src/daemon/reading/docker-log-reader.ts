import { type ContainerFollowing, FollowedContainer, type WantedContainer } from './followed-container.ts';
import type { SourceSpec } from '../../config/jail-spec.ts';
import type { SourceStats } from '../../control/api.ts';
import { keptCopy } from './fallbacks.ts';
import type { ActiveJail, JailRegistry } from '../../jail/jail-registry.ts';

export interface DockerLogReaderParts extends ContainerFollowing {
  /** Until when a jail's source was read from its first choice, epoch milliseconds; undefined if it never was. */
  readonly readUpTo: (jail: ActiveJail, source: SourceSpec) => number | undefined;
}

const name = "Docker's log API";

/** Reads containers' logs from Docker's log API, each once, however many jails it is in. */
export class DockerLogReader {
  readonly #parts: DockerLogReaderParts;
  /** By container id. */
  readonly #followed = new Map<string, FollowedContainer>();
  /** Ids of the containers for which the engine can't be reached. */
  readonly #unreached = new Set<string>();

  constructor(parts: DockerLogReaderParts) {
    this.#parts = parts;
  }

  /** What happened to the lines of the containers that are followed. */
  get counts(): readonly SourceStats[] {
    return [...this.#followed.values()].map(({ source, counts }) => ({ source, ...counts }));
  }

  /** Whether a container's log can't be read at present. */
  isLost(id: string): boolean {
    return this.#followed.get(id)?.isLost ?? false;
  }

  /** Adapts to the jails' current sources; a stopped container is dropped once its last lines are read. */
  update(registry: JailRegistry): void {
    const { wanted, readElsewhere } = this.#wantedContainers(registry);
    for (const [id, followed] of this.#followed) {
      if (followed.hasEnded) this.#followed.delete(id);
      else if (readElsewhere.has(id)) {
        // At once: its next lines are taken from there.
        this.#followed.delete(id);
        void followed.close();
      } else if (!wanted.has(id)) followed.leave();
    }
    for (const [id, container] of wanted) {
      const followed = this.#followed.get(id);
      if (followed) followed.want(container);
      else this.#followed.set(id, this.#follow(container));
    }
  }

  /** Refreshes the stored positions, so that the age limit doesn't drop those of quiet logs. */
  keepPositions(): void {
    for (const followed of this.#followed.values()) followed.keepPositions();
  }

  /** Stops everything. */
  async close(): Promise<void> {
    await Promise.all([...this.#followed.values()].map((followed) => followed.close()));
  }

  #follow(container: WantedContainer): FollowedContainer {
    return new FollowedContainer(container, this.#parts, {
      lost: (id, message, fix) => {
        this.#unreached.add(id);
        if (this.#unreached.size === 1) this.#parts.events.sourceLost(name, message, fix);
      },
      resumed: (id) => {
        if (this.#unreached.delete(id) && this.#unreached.size === 0) this.#parts.events.sourceResumed(name);
      },
    });
  }

  #wantedContainers(registry: JailRegistry): {
    readonly wanted: ReadonlyMap<string, WantedContainer>;
    readonly readElsewhere: ReadonlySet<string>;
  } {
    const wanted = new Map<string, WantedContainer>();
    const readElsewhere = new Set<string>();
    for (const jail of registry.active.values()) {
      for (const source of jail.jail.spec.sources) {
        const { fallbacks, readUpTo } = this.#parts;
        const log = source.kind === 'docker' ? source : fallbacks.replacementOf(source);
        if (!log) {
          const copy = keptCopy(source);
          if (copy) readElsewhere.add(copy.containerId);
          continue;
        }
        const { containerId: id, container } = log;
        const { jails = [], takenUpTo } = wanted.get(id) ?? {};
        wanted.set(id, {
          id,
          name: container,
          jails: jails.includes(jail) ? jails : [...jails, jail],
          takenUpTo: latest(takenUpTo, source.kind === 'docker' ? undefined : readUpTo(jail, source)),
        });
      }
    }
    return { wanted, readElsewhere };
  }
}

/** When in doubt, a line is missed for one of several jails rather than counted twice. */
function latest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}
