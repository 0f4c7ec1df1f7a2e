import type { SyslogLine } from '../sources/syslog-file.ts';
import type { ActiveJail, JailRegistry } from './jail-registry.ts';
import type { Matching } from './matching.ts';

interface Route {
  readonly jail: ActiveJail;
  /** The container that logs under this program name; undefined if several do. */
  readonly container: string | undefined;
}

/** Takes the syslog file's lines to the jails whose containers log under that program name. */
export class SyslogRoutes {
  readonly #matching: Matching;
  #routes: ReadonlyMap<string, readonly Route[]> = new Map();

  constructor(matching: Matching) {
    this.#matching = matching;
  }

  /** Whether any jail reads lines of this program. */
  readonly wants = (program: string): boolean => this.#routes.has(program);

  /** Whether any jail reads syslog at all. */
  get isNeeded(): boolean {
    return this.#routes.size > 0;
  }

  /** Follows the jails' sources. */
  update(registry: JailRegistry): void {
    const routes = new Map<string, Route[]>();
    for (const jail of registry.active.values()) {
      const containers = new Map<string, string | undefined>();
      for (const source of jail.jail.spec.sources) {
        if (source.kind !== 'syslog') continue;
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

  /**
   * A filter may be written for syslog's files, as fail2ban reads them, or for what the container itself prints: the line is
   * matched with its header first, and if that finds nothing, without.
   */
  take({ program, line, messageStart }: SyslogLine): void {
    for (const { jail, container } of this.#routes.get(program ?? '') ?? []) {
      if (this.#matching.match(jail, line, container, true)) continue;
      const message = { text: line.text.slice(messageStart), time: line.time, dateRemoved: false };
      this.#matching.match(jail, message, container, true);
    }
  }
}
