import { BlockMatcher } from '../filter/block-matcher.ts';
import type { EventLog } from './event-log.ts';
import type { Positions } from './followed-container.ts';
import { FollowedPattern, type PatternOptions } from './followed-pattern.ts';
import type { ActiveJail, JailRegistry } from './jail-registry.ts';
import { addCounts, newTally, type SourceCounts, type Tally } from './line-counts.ts';
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
  readonly pattern: string;
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
  get counts(): readonly SourceCounts[] {
    const sums = new Map<string, Tally>();
    for (const followed of this.#followed.values()) {
      for (const [path, counts] of followed.counts) {
        const sum = sums.get(path) ?? newTally('bytes');
        addCounts(sum, counts);
        sums.set(path, sum);
      }
    }
    return [...sums].map(([source, counts]) => ({ source, ...counts }));
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
    const before = this.#readers;
    this.#readers = new Map(
      [...wanted].map(
        ([
          key,
          {
            options: { pattern },
            readers,
            encoding,
          },
        ]) => {
          const filters = readers.map(({ jail }) => jail.filter);
          return [key, { pattern, readers, matcher: new BlockMatcher(filters, encoding) }];
        },
      ),
    );
    // All in one go: no line is taken between the change of the readers and that of the reading.
    const unread = [...this.#followed].filter(([key]) => !wanted.has(key));
    const closed = unread.map(([, followed]) => followed.close());
    for (const [key, { options, readers }] of wanted) {
      if (this.#followed.has(key)) continue;
      const last = lastReading(before, options.pattern, readers);
      if (last !== undefined) this.#followed.get(last)?.handOver(options.id);
      this.#follow(key, options);
    }
    for (const [key] of unread) this.#followed.delete(key);
    await Promise.all(closed);
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

  #match(key: string, bytes: Buffer, live: boolean): number {
    const known = this.#readers.get(key);
    let matched = 0;
    known?.matcher.match(bytes, this.#clock(), live, (index, failures) => {
      const { jail, container } = known.readers[index]!;
      matched += failures.length;
      this.#matching.take(jail.jail, failures, container);
    });
    return matched;
  }
}

/** By which reading of a pattern one of these jails has read it so far: what only reads otherwise now goes on from there. */
function lastReading(
  known: ReadonlyMap<string, Readers>,
  pattern: string,
  readers: readonly Reader[],
): string | undefined {
  const jails = new Set(readers.map(({ jail }) => jail.jail));
  const found = [...known].find(
    ([, last]) => last.pattern === pattern && last.readers.some(({ jail }) => jails.has(jail.jail)),
  );
  return found?.[0];
}
