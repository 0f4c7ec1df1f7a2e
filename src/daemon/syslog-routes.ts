import type { SyslogLine } from '../sources/syslog-file.ts';
import type { Fallbacks } from './fallbacks.ts';
import type { ActiveJail, JailRegistry } from './jail-registry.ts';
import type { Matching } from './matching.ts';

interface Route {
  readonly jail: ActiveJail;
  /** The container that logs under this program name; undefined if several do. */
  readonly container: string | undefined;
  /** Only lines of a later time are taken, epoch milliseconds: Docker's copy has brought the others, or does. */
  readonly after: number;
}

/** By which way syslog lines come: the host's file, or our receiver. What one brings is never taken for the other's. */
export type SyslogWay = 'file' | 'receiver';

/** Takes syslog lines to the jails whose containers log under their program name. */
export class SyslogRoutes {
  readonly #way: SyslogWay;
  readonly #matching: Matching;
  readonly #fallbacks: Pick<Fallbacks, 'takesAfter'> | undefined;
  #routes: ReadonlyMap<string, readonly Route[]> = new Map();
  /** When the last line of each program was logged, epoch milliseconds. */
  #lastOf = new Map<string, number>();

  constructor(way: SyslogWay, matching: Matching, fallbacks?: Pick<Fallbacks, 'takesAfter'>) {
    this.#way = way;
    this.#fallbacks = fallbacks;
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

  /** Up to when what a program logs was taken, epoch milliseconds; undefined: nothing was since the start. */
  readUpTo(program: string): number | undefined {
    const last = this.#lastOf.get(program);
    // Syslog's old timestamp has whole seconds: the line is of any moment of that second.
    return last !== undefined && last % 1000 === 0 ? last + 999 : last;
  }

  /** Follows the jails' sources. */
  update(registry: JailRegistry): void {
    const routes = new Map<string, Route[]>();
    for (const jail of registry.active.values()) {
      const containers = new Map<string, Omit<Route, 'jail'>>();
      for (const source of jail.jail.spec.sources) {
        if (source.kind !== 'syslog' || (source.via ?? 'file') !== this.#way) continue;
        const { program, container } = source;
        const other = containers.get(program);
        const after = this.#fallbacks?.takesAfter(source) ?? -Infinity;
        // Which of the two logged a line can't be told.
        if (other) containers.set(program, { container: undefined, after: Math.max(after, other.after) });
        else containers.set(program, { container, after });
      }
      for (const [program, route] of containers) {
        const others = routes.get(program) ?? [];
        others.push({ jail, ...route });
        routes.set(program, others);
      }
    }
    this.#routes = routes;
    this.#lastOf = new Map([...this.#lastOf].filter(([program]) => routes.has(program)));
  }

  /**
   * @param live false for what was logged before the start
   * @returns in how many jails there was a failure in it
   */
  take({ program = '', line, messageStart }: SyslogLine, live: boolean): number {
    const routes = this.#routes.get(program);
    if (!routes) return 0;
    const { time = Infinity } = line;
    let matched = 0;
    for (const { jail, container, after } of routes) {
      if (time <= after) continue;
      if (time < Infinity) this.#lastOf.set(program, time);
      if (this.#matching.matchWithHeader(jail, line, messageStart, container, live)) matched += 1;
    }
    return matched;
  }
}
