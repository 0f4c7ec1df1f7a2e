import type { EventLog } from './event-log.ts';
import { FollowedPattern, type PatternOptions } from './followed-pattern.ts';
import type { ActiveJail, JailRegistry } from './jail-registry.ts';
import type { Matching } from './matching.ts';

interface Reader {
  readonly jail: ActiveJail;
  readonly container: string | undefined;
}

/** Follows the log files that jails name by `logpath`: each pattern once, however many jails read it. */
export class LogFiles {
  readonly #events: EventLog;
  readonly #matching: Matching;
  readonly #followed = new Map<string, FollowedPattern>();
  #readers: ReadonlyMap<string, readonly Reader[]> = new Map();

  constructor(events: EventLog, matching: Matching) {
    this.#events = events;
    this.#matching = matching;
  }

  /** The files that a pattern stands for now. */
  filesOf(pattern: string): readonly string[] {
    const followed = [...this.#followed].filter(([key]) => key.startsWith(`${pattern}\n`));
    return followed.flatMap(([, { files }]) => files);
  }

  /** Follows the jails' sources; what nobody reads any more is let go. */
  async update(registry: JailRegistry): Promise<void> {
    const wanted = new Map<string, { options: PatternOptions; readers: Reader[] }>();
    for (const jail of registry.active.values()) {
      const { sources, logEncoding: encoding } = jail.jail.spec;
      for (const source of sources) {
        if (source.kind !== 'file') continue;
        const { pattern, container } = source;
        const from = source.from === 'head' ? 'start' : 'end';
        const key = [pattern, from, encoding].join('\n');
        const entry = wanted.get(key) ?? { options: { pattern, from, encoding }, readers: [] };
        entry.readers.push({ jail, container });
        wanted.set(key, entry);
      }
    }
    this.#readers = new Map([...wanted].map(([key, { readers }]) => [key, readers]));
    const unread = [...this.#followed].filter(([key]) => !wanted.has(key));
    for (const [key] of unread) this.#followed.delete(key);
    for (const [key, { options }] of wanted) if (!this.#followed.has(key)) this.#follow(key, options);
    await Promise.all(unread.map(([, followed]) => followed.close()));
  }

  /** Lets everything go. */
  async close(): Promise<void> {
    await Promise.all([...this.#followed.values()].map((followed) => followed.close()));
  }

  #follow(key: string, options: PatternOptions): void {
    const followed = new FollowedPattern(
      options,
      (line, live) => {
        for (const { jail, container } of this.#readers.get(key) ?? []) {
          this.#matching.match(jail, line, container, live);
        }
      },
      this.#events,
    );
    this.#followed.set(key, followed);
  }
}
