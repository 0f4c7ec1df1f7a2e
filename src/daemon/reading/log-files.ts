import { BlockMatcher, type TakeFailures } from '../../filter/block-matcher.ts';
import type { Failure } from '../../filter/failure.ts';
import type { Reading } from '../../filter/dates/line-dates.ts';
import type { Jail } from '../../jail/jail.ts';
import { PlainLines } from '../../sources/file/plain-lines.ts';
import { findSyslogHeader } from '../../sources/syslog/header.ts';
import type { SourceStats } from '../../control/api.ts';
import { type Handover, handOver } from './file-handovers.ts';
import { type FileReader, type FileReading, wantedFiles } from './file-readers.ts';
import { FollowedPattern, type PatternOptions, type TakeLines } from './followed-pattern.ts';
import type { JailRegistry } from '../../jail/jail-registry.ts';
import type { ReaderParts } from './reader-parts.ts';
import { noCounts, type SourceCounts } from './source-book.ts';
import type { Judge } from '../judging/judge.ts';

const newline = 0x0a;
const countsOfFiles = ['bytes', 'matched', 'cut', 'gaps', 'dropped'] as const;

/** Jails that read the same lines, and the matcher that finds their failures. */
interface Group {
  readonly readers: readonly FileReader[];
  readonly lines: PlainLines;
  readonly matcher: BlockMatcher;
  /** Whether a jail reads the lines of a file. */
  readonly gives: (reader: FileReader, path: string) => boolean;
}

export type LogFilesParts = Pick<ReaderParts, 'events' | 'clock' | 'positions'> & {
  readonly judge: Pick<Judge, 'take'>;
  /**
   * The host's, of which jails are given the lines of their containers: named by `logpath` too, as it was for fail2ban, these must not count
   * twice.
   */
  readonly syslogFile: string;
};

/** Follows the log files that jails name by `logpath`: each pattern once, however many jails read it. */
export class LogFiles {
  readonly #parts: LogFilesParts;
  readonly #followed = new Map<string, FollowedPattern>();
  #wanted: ReadonlyMap<string, FileReading> = new Map();
  #handovers: readonly Handover[] = [];
  /** By key of the reading. */
  #groups: ReadonlyMap<string, readonly Group[]> = new Map();
  /** Readings that nobody wants any more, as long as they aren't closed. */
  readonly #closing = new Set<Promise<void>>();

  constructor(parts: LogFilesParts) {
    this.#parts = parts;
  }

  /** The files that a pattern matches now. */
  filesOf(pattern: string): readonly string[] {
    return this.#following(pattern).flatMap(({ files }) => files);
  }

  /** Whether none of the files that match a pattern now can be read. */
  isLost(pattern: string): boolean {
    const followed = this.#following(pattern);
    const lost = new Set(followed.flatMap((each) => each.lost));
    return lost.size > 0 && this.filesOf(pattern).every((path) => lost.has(path));
  }

  /** What happened to the lines of the files, by path. */
  get counts(): readonly SourceStats[] {
    const sums = new Map<string, SourceCounts>();
    for (const followed of this.#followed.values()) {
      for (const [path, counts] of followed.counts) {
        const sum = sums.get(path) ?? noCounts('bytes');
        for (const name of countsOfFiles) sum[name] = (sum[name] ?? 0) + (counts[name] ?? 0);
        sums.set(path, sum);
      }
    }
    return [...sums].map(([source, counts]) => ({ source, ...counts }));
  }

  /** Resolves when every line logged from then on will be read. */
  async begun(): Promise<void> {
    await Promise.all([...this.#followed.values()].map((followed) => followed.begun));
  }

  /** Adapts to the jails' current sources; stops what nobody reads any more. */
  async update(registry: JailRegistry): Promise<void> {
    const after = wantedFiles(registry, this.#parts.syslogFile);
    // In one go: no line may be taken while readers and readings disagree.
    const change = { before: this.#wanted, after, followed: this.#followed, pending: this.#handovers };
    this.#handovers = handOver(change);
    this.#wanted = after;
    this.#regroup();
    for (const [key, { options }] of after) if (!this.#followed.has(key)) this.#follow(key, options);
    await Promise.all(this.#closing);
  }

  /** Refreshes the stored positions, so that the age limit doesn't drop those of quiet logs. */
  keepPositions(): void {
    for (const followed of this.#followed.values()) followed.keepPositions();
  }

  /** Stops everything. */
  async close(): Promise<void> {
    await Promise.all([...this.#closing, ...[...this.#followed.values()].map((one) => one.close())]);
  }

  #follow(key: string, options: PatternOptions): void {
    const { events, positions } = this.#parts;
    const followed = new FollowedPattern(options, {
      take: (...lines) => this.#match(key, ...lines),
      onProgress: (path) => this.#settle(path),
      events,
      positions,
    });
    this.#followed.set(key, followed);
  }

  /** Decides which jail gets which lines from now on, and stops readings without readers. */
  #regroup(): void {
    const groups = new Map<string, Group[]>();
    for (const [key, { readers, encoding }] of this.#wanted) {
      const gives = ({ jail, readsElsewhere }: FileReader, path: string): boolean =>
        !readsElsewhere(path) && !this.#handovers.some((one) => one.to === key && isOf(one, jail.jail, path));
      groups.set(key, [groupOf(readers, encoding, gives)]);
    }
    const late = new Map(this.#handovers.map((one) => [`${one.from}\n\n${one.to}`, one]));
    for (const { from, to } of late.values()) {
      const reading = this.#wanted.get(to);
      if (!reading) continue;
      const given = this.#handovers.filter((one) => one.from === from && one.to === to);
      const gives = ({ jail, readsElsewhere }: FileReader, path: string): boolean =>
        !readsElsewhere(path) && given.some((one) => isOf(one, jail.jail, path));
      const readers = reading.readers.filter(({ jail }) => given.some((one) => one.jail === jail.jail.name));
      groups.set(from, [...(groups.get(from) ?? []), groupOf(readers, reading.encoding, gives)]);
    }
    this.#groups = groups;
    for (const [key, followed] of this.#followed) if (!groups.has(key)) this.#letGo(key, followed);
  }

  #letGo(key: string, followed: FollowedPattern): void {
    this.#followed.delete(key);
    const closed = followed.close().finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }

  /** A file was read further: jails move to their new reading once it stands where the old one does. */
  #settle(path: string): void {
    const waiting = this.#handovers.filter((one) => {
      if (one.path !== path) return true;
      const [from, to] = [this.#followed.get(one.from), this.#followed.get(one.to)];
      return from && to && from.files.includes(path) && !from.isLevelWith(to, path);
    });
    if (waiting.length === this.#handovers.length) return;
    this.#handovers = waiting;
    this.#regroup();
  }

  #match(key: string, ...[bytes, cuts, live, path, by]: Parameters<TakeLines>): number {
    let matched = 0;
    for (const { readers, lines, matcher, gives } of this.#groups.get(key) ?? []) {
      const given = readers.map((reader) => gives(reader, path));
      if (!given.includes(true)) continue;
      const take: TakeFailures = (index, failures) => {
        if (!given[index]) return;
        const { jail, container, known } = readers[index]!;
        const fresh = known.size === 0 ? failures : failures.filter((one) => !isFrom(known, one));
        matched += fresh.length;
        if (fresh.length > 0) this.#parts.judge.take(jail.jail, fresh, container, live);
      };
      const reading = { now: this.#parts.clock(), live, by };
      if (cuts.length === 0) matcher.match(lines.of(bytes), reading, take);
      else matchCut({ lines, matcher }, { bytes, cuts }, reading, take);
    }
    return matched;
  }

  #following(pattern: string): readonly FollowedPattern[] {
    const followed = [...this.#followed].filter(([key]) => key.startsWith(`${pattern}\n`));
    return followed.map(([, each]) => each);
  }
}

/** Like `BlockMatcher.match`, for a block in which some lines were cut. */
function matchCut(
  { lines, matcher }: Pick<Group, 'lines' | 'matcher'>,
  { bytes, cuts }: { readonly bytes: Buffer; readonly cuts: readonly number[] },
  reading: Reading,
  take: TakeFailures,
): void {
  let from = 0;
  for (const cut of cuts) {
    const start = cut === 0 ? 0 : bytes.lastIndexOf(newline, cut - 1) + 1;
    const end = bytes.indexOf(newline, cut);
    if (start > from) matcher.match(lines.of(bytes.subarray(from, start)), reading, take);
    // Behind a cut, the boundaries of wide characters are unknown.
    if (!lines.isWide) matcher.matchCut(bytes.subarray(start, cut), bytes.subarray(cut, end), reading, take);
    from = end + 1;
  }
  if (from < bytes.length) matcher.match(lines.of(bytes.subarray(from)), reading, take);
}

function groupOf(readers: readonly FileReader[], encoding: string | undefined, gives: Group['gives']): Group {
  const filters = readers.map(({ jail }) => jail.filter);
  const lines = new PlainLines(encoding);
  return { readers, lines, matcher: new BlockMatcher(filters, lines.encoding), gives };
}

function isOf(handover: Handover, { name }: Jail, path: string): boolean {
  return handover.jail === name && handover.path === path;
}

/** Whether a failure's lines in a syslog file come from these programs. */
function isFrom(programs: ReadonlySet<string>, { lines }: Failure): boolean {
  return lines.every((line) => programs.has(findSyslogHeader(line, 0, line.length)?.program ?? ''));
}
