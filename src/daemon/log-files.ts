import { BlockMatcher } from '../filter/block-matcher.ts';
import type { EventLog } from './event-log.ts';
import type { Positions } from './followed-container.ts';
import { FollowedPattern, type PatternOptions } from './followed-pattern.ts';
import type { ActiveJail, JailRegistry } from './jail-registry.ts';
import type { LineCounts } from './line-counts.ts';
import type { Matching } from './matching.ts';

interface Reader {
  readonly jail: ActiveJail;
  readonly container: string | undefined;
}

/** A pattern of files as some jails read it. */
interface Reading {
  readonly options: PatternOptions;
  readonly encoding: string | undefined;
  readonly readers: Reader[];
}

/** The jails that read a pattern, and what finds their failures. */
interface Readers {
  readonly readers: readonly Reader[];
  readonly matcher: BlockMatcher;
}

/** Follows the log files that jails name by `logpath`: each pattern once, however many jails read it. */
export class LogFiles {
  readonly #events: EventLog;
  readonly #matching: Matching;
  readonly #clock: () => number;
  readonly #positions: Positions | undefined;
  readonly #followed = new Map<string, FollowedPattern>();
  #readers: ReadonlyMap<string, Readers> = new Map();

  /** @param positions up to where files were read; without, files that are there at the start are read as at the first */
  constructor(events: EventLog, matching: Matching, clock: () => number, positions?: Positions) {
    this.#clock = clock;
    this.#positions = positions;
    this.#events = events;
    this.#matching = matching;
  }

  /** The files that a pattern stands for now. */
  filesOf(pattern: string): readonly string[] {
    const followed = [...this.#followed].filter(([key]) => key.startsWith(`${pattern}\n`));
    return followed.flatMap(([, { files }]) => files);
  }

  /** What happened to the lines of the files, by path. */
  get counts(): ReadonlyMap<string, LineCounts> {
    const sums = new Map<string, LineCounts>();
    for (const followed of this.#followed.values()) {
      for (const [path, { cut, gaps }] of followed.counts) {
        const others = sums.get(path) ?? { cut: 0, gaps: 0 };
        sums.set(path, { cut: others.cut + cut, gaps: others.gaps + gaps });
      }
    }
    return sums;
  }

  /** Follows the jails' sources; what nobody reads any more is let go. */
  async update(registry: JailRegistry): Promise<void> {
    const wanted = new Map<string, Reading>();
    for (const jail of registry.active.values()) {
      const { sources, logEncoding: encoding } = jail.jail.spec;
      for (const source of sources) {
        if (source.kind !== 'file') continue;
        const { pattern, container, polling = false } = source;
        const from = source.from === 'head' ? 'start' : 'end';
        const key = [pattern, from, encoding, polling].join('\n');
        const id = [pattern, source.from, encoding ?? [], polling ? 'polling' : []].flat().join(' ');
        const options = { pattern, from, polling, id } as const;
        const entry = wanted.get(key) ?? { options, encoding, readers: [] };
        entry.readers.push({ jail, container });
        wanted.set(key, entry);
      }
    }
    this.#readers = new Map(
      [...wanted].map(([key, { readers, encoding }]) => {
        const filters = readers.map(({ jail }) => jail.filter);
        return [key, { readers, matcher: new BlockMatcher(filters, encoding) }];
      }),
    );
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
    const followed = new FollowedPattern(options, {
      take: (bytes, live) => this.#match(key, bytes, live),
      events: this.#events,
      positions: this.#positions,
    });
    this.#followed.set(key, followed);
  }

  #match(key: string, bytes: Buffer, live: boolean): void {
    const known = this.#readers.get(key);
    known?.matcher.match(bytes, this.#clock(), live, (index, failures) => {
      const { jail, container } = known.readers[index]!;
      this.#matching.take(jail.jail, failures, container);
    });
  }
}
