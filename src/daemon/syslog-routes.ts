import type { SyslogLine } from '../sources/syslog-file.ts';
import type { ActiveJail, JailRegistry } from './jail-registry.ts';
import type { Matching } from './matching.ts';

interface Route {
  readonly jail: ActiveJail;
  /** The container that logs under this program name; undefined if several do. */
  readonly container: string | undefined;
}

/** By which way syslog lines come: the host's file, or our receiver. What one brings is never taken for the other's. */
export type SyslogWay = 'file' | 'receiver';

/** Takes syslog lines to the jails whose containers log under their program name. */
export class SyslogRoutes {
  readonly #way: SyslogWay;
  readonly #matching: Matching;
  #routes: ReadonlyMap<string, readonly Route[]> = new Map();

  constructor(way: SyslogWay, matching: Matching) {
    this.#way = way;
    this.#matching = matching;
  }

  /** Whether no jail reads this way. */
  get isEmpty(): boolean {
    return this.#routes.size === 0;
  }

  /** Whether a jail reads what this program logs. */
  has(program: string): boolean {
    return this.#routes.has(program);
  }

  /** Follows the jails' sources. */
  update(registry: JailRegistry): void {
    const routes = new Map<string, Route[]>();
    for (const jail of registry.active.values()) {
      const containers = new Map<string, string | undefined>();
      for (const source of jail.jail.spec.sources) {
        if (source.kind !== 'syslog' || (source.via ?? 'file') !== this.#way) continue;
        const { program, container } = source;
        containers.set(program, containers.has(program) ? undefined : container);
      }
      for (const [program, container] of containers) {
        const others = routes.get(program) ?? [];
        others.push({ jail, container });
        routes.set(program, others);
      }
    }
    this.#routes = routes;
  }

  /** @param live false for what was logged before the start */
  take({ program, line, messageStart }: SyslogLine, live: boolean): void {
    for (const { jail, container } of this.#routes.get(program ?? '') ?? []) {
      takeWithPrefix(this.#matching, { jail, container, line, messageStart, live });
    }
  }
}

/**
 * A filter may be written for syslog's files, as fail2ban reads them, or for what the container itself prints: the line is
 * matched with its header first, and if that finds nothing, without.
 */
export function takeWithPrefix(
  matching: Matching,
  { jail, container, line, messageStart, live }: Route & Omit<SyslogLine, 'program'> & { live: boolean },
): void {
  if (matching.match(jail, line, container, live) || messageStart === 0) return;
  const message = { text: line.text.slice(messageStart), time: line.time, dateRemoved: false };
  matching.match(jail, message, container, live);
}
