import type { SyslogLine } from '../../sources/syslog/follow-syslog-file.ts';
import type { ReaderParts } from './reader-parts.ts';
import type { ActiveJail, JailRegistry } from '../../jail/jail-registry.ts';
import type { SyslogSource, SyslogWay } from './syslog-pieces.ts';

/** A program name, and the jails that read what is logged under it. */
interface Program {
  /** The containers that log under it. */
  readonly sources: readonly SyslogSource[];
  readonly routes: readonly Route[];
}

interface Route {
  readonly jail: ActiveJail;
  /** The container that logs under this program name; undefined if several do. */
  readonly container: string | undefined;
  /** Only lines of a later time are taken, epoch milliseconds: Docker's copy has brought the others, or does. */
  readonly after: number;
}

/** Takes syslog lines to the jails whose containers log under their program name. */
export class SyslogRoutes {
  /** Records of one channel are never taken for the other's. */
  readonly #way: SyslogWay;
  readonly #parts: ReaderParts;
  #programs: ReadonlyMap<string, Program> = new Map();
  /** When the last line of each program was logged, epoch milliseconds. */
  #lastOf = new Map<string, number>();

  constructor(way: SyslogWay, parts: ReaderParts) {
    this.#way = way;
    this.#parts = parts;
  }

  /** Whether no jail reads this way. */
  get isEmpty(): boolean {
    return this.#programs.size === 0;
  }

  /** Whether a jail reads what this program logs. */
  has(program: string): boolean {
    return this.#programs.has(program);
  }

  /** The time of the last line taken from a program, epoch milliseconds; undefined if none was since the start. */
  readUpTo(program: string): number | undefined {
    const last = this.#lastOf.get(program);
    // Syslog's old timestamp has whole seconds: the line may be of any moment in that second.
    return last !== undefined && last % 1000 === 0 ? last + 999 : last;
  }

  /** Adapts to the jails' current sources. */
  update(registry: JailRegistry): void {
    const programs = new Map<string, { sources: SyslogSource[]; routes: Route[] }>();
    for (const jail of registry.active.values()) {
      const containers = new Map<string, Omit<Route, 'jail'>>();
      for (const source of jail.jail.spec.sources) {
        if (source.kind !== 'syslog' || (source.via ?? 'file') !== this.#way) continue;
        const { program, container } = source;
        const known = programs.get(program) ?? { sources: [], routes: [] };
        programs.set(program, known);
        if (!known.sources.some(({ containerId }) => containerId === source.containerId))
          known.sources.push(source);
        const other = containers.get(program);
        const after = this.#parts.fallbacks.takesAfter(source);
        // There is no telling which of the two logged a line.
        if (other) containers.set(program, { container: undefined, after: Math.max(after, other.after) });
        else containers.set(program, { container, after });
      }
      for (const [program, route] of containers) programs.get(program)!.routes.push({ jail, ...route });
    }
    this.#programs = programs;
    this.#lastOf = new Map([...this.#lastOf].filter(([program]) => programs.has(program)));
  }

  /**
   * @param live false for what was logged before the start
   * @returns in how many jails there was a failure in it
   */
  take(record: SyslogLine, live: boolean): number {
    const { program = '', line, messageStart } = record;
    const known = this.#programs.get(program);
    if (!known || !this.#parts.pieces.believes(known.sources, record, this.#way)) return 0;
    const { time = Infinity } = line;
    let matched = 0;
    for (const { jail, container, after } of known.routes) {
      if (time <= after) continue;
      if (time < Infinity) this.#lastOf.set(program, time);
      // The program could write "message repeated" itself: such a line alone must not ban anybody.
      const times = Math.min(record.times ?? 1, Math.max(1, jail.jail.spec.maxretry - 1));
      let isMatched = false;
      for (let left = times; left > 0; left -= 1)
        isMatched =
          this.#parts.matching.matchWithHeader(jail, line, messageStart, container, live) || isMatched;
      if (isMatched) matched += 1;
    }
    if (matched > 0) this.#parts.pieces.noteTaken(known.sources, record);
    return matched;
  }
}
