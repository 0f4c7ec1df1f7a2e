import type { Dock2banError } from '../errors.ts';
import { followSyslogFile, type SyslogLine } from '../sources/syslog-file.ts';
import type { EventLog } from './event-log.ts';
import type { ActiveJail, JailRegistry } from './jail-registry.ts';
import type { Matching } from './matching.ts';

interface Route {
  readonly jail: ActiveJail;
  /** The container that logs under this program name; undefined if several do. */
  readonly container: string | undefined;
}

/** Follows the host's syslog file, and takes its lines to the jails whose containers log under that program name. */
export class SyslogReader {
  readonly #path: string;
  readonly #matching: Matching;
  readonly #events: EventLog;
  readonly #clock: () => number;
  #routes: ReadonlyMap<string, readonly Route[]> = new Map();
  #lost: Dock2banError | undefined;
  #reported = false;

  constructor(path: string, matching: Matching, events: EventLog, clock: () => number) {
    this.#path = path;
    this.#matching = matching;
    this.#events = events;
    this.#clock = clock;
  }

  /** Runs until `signal` aborts; from the start, so that no line is missed of a container that opts in. */
  async run(signal: AbortSignal): Promise<void> {
    const wanted = (program: string): boolean => this.#routes.has(program);
    const options = { signal, from: 'end', wanted, now: this.#clock } as const;
    for await (const update of followSyslogFile(this.#path, options)) {
      switch (update.type) {
        case 'lines':
          for (const line of update.lines) this.#take(line);
          break;
        case 'lost':
          this.#lost = update.error;
          this.#report();
          break;
        case 'resumed':
          if (this.#reported) this.#events.sourceResumed(this.#path);
          this.#lost = undefined;
          this.#reported = false;
          break;
      }
    }
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
    this.#report();
  }

  /** A host without a syslog file is no fault as long as no jail reads it. */
  #report(): void {
    if (this.#lost === undefined || this.#reported || this.#routes.size === 0) return;
    this.#reported = true;
    this.#events.sourceLost(this.#path, this.#lost.message, this.#lost.fix);
  }

  /**
   * A filter may be written for syslog's files, as fail2ban reads them, or for what the container itself prints: the line is
   * matched with its header first, and if that finds nothing, without.
   */
  #take({ program, line, messageStart }: SyslogLine): void {
    for (const { jail, container } of this.#routes.get(program ?? '') ?? []) {
      if (this.#matching.match(jail, line, container, true)) continue;
      const message = { text: line.text.slice(messageStart), time: line.time, dateRemoved: false };
      this.#matching.match(jail, message, container, true);
    }
  }
}
