import { setTimeout as delay } from 'node:timers/promises';
import type { SourceSpec } from '../../config/jail-spec.ts';
import type { SourceStats } from '../../control/api.ts';
import type { ConnectDocker } from '../../docker/engine/engine-client.ts';
import { EngineLogs } from '../../docker/engine/engine-logs.ts';
import type { Store } from '../../store/store.ts';
import { DockerLogReader } from './docker-log-reader.ts';
import type { EventLog } from '../events/event-log.ts';
import { Fallbacks } from './fallbacks.ts';
import type { ActiveJail, JailRegistry } from '../../jail/jail-registry.ts';
import { type JournalAccess, JournalReader } from './journal-reader.ts';
import { LogFiles } from './log-files.ts';
import type { Judge } from '../judging/judge.ts';
import type { Matching } from '../judging/matching.ts';
import { ReceiverReader, type ReceiverSettings } from './receiver-reader.ts';
import { SyslogPieces } from './syslog-pieces.ts';
import { SyslogReader } from './syslog-reader.ts';

export interface LogSourcesParts {
  readonly syslogFile: string;
  readonly receiver: ReceiverSettings | undefined;
  readonly journal: JournalAccess | undefined;
  readonly connectDocker: ConnectDocker;
  readonly registry: JailRegistry;
  readonly matching: Matching;
  readonly judge: Judge;
  readonly events: EventLog;
  readonly positions: Store['positions'];
  readonly clock: () => number;
}

/** Milliseconds that `ready` waits for the files of `logpath`. */
const beginWithin = 2_000;

/** Every way to read logs, and what the jails want of each. */
export class LogSources {
  readonly #parts: LogSourcesParts;
  readonly #fallbacks: Fallbacks;
  readonly #pieces: SyslogPieces;
  readonly #syslog: SyslogReader;
  readonly #receiver: ReceiverReader | undefined;
  readonly #journal: JournalReader;
  readonly #files: LogFiles;
  readonly #containers: DockerLogReader;

  constructor(parts: LogSourcesParts) {
    this.#parts = parts;
    const { matching, events, clock, positions, judge, syslogFile, receiver, journal = {} } = parts;
    const onChange = (): void => this.#followContainers();
    const pieces = new SyslogPieces({ events, positions, clock, onChange });
    const fallbacks = new Fallbacks({ events, positions, onChange, pieces });
    const shared = { matching, events, clock, positions, fallbacks, pieces };
    this.#pieces = pieces;
    this.#fallbacks = fallbacks;
    this.#syslog = new SyslogReader(syslogFile, shared);
    this.#receiver = receiver && new ReceiverReader(receiver, shared);
    this.#journal = new JournalReader(journal, shared);
    this.#files = new LogFiles({ events, judge, clock, positions, syslogFile });
    const logs = new EngineLogs(parts.connectDocker);
    const readUpTo = this.#readUpTo.bind(this);
    this.#containers = new DockerLogReader({ ...shared, logs, readUpTo });
  }

  /** Tasks that run as long as the daemon. */
  tasks(signal: AbortSignal): Promise<void>[] {
    const readers = [this.#syslog, this.#receiver, this.#journal];
    return readers.flatMap((reader) => reader?.run(signal) ?? []);
  }

  /**
   * Resolves when no line of a file is missed any more that is logged from then on, or when files can't be opened in time: on a
   * network file system that may take long.
   */
  async begun(): Promise<void> {
    const inTime = delay(beginWithin, undefined, { ref: false });
    await Promise.all([this.#syslog.begun, Promise.race([this.#files.begun(), inTime])]);
  }

  /** Refreshes the stored positions of all followed logs, so that the age limit doesn't drop those of quiet ones. */
  keepPositions(): void {
    const readers = [
      this.#syslog,
      this.#receiver,
      this.#journal,
      this.#files,
      this.#containers,
      this.#pieces,
    ];
    for (const reader of readers) reader?.keepPositions();
  }

  /** Adapts to what the jails read now. */
  async update(): Promise<void> {
    this.#followContainers();
    await this.#files.update(this.#parts.registry);
  }

  /** Stops what `tasks` doesn't own; call it when those have ended. */
  async close(): Promise<void> {
    this.#fallbacks.close();
    await Promise.all([this.#files.close(), this.#containers.close()]);
  }

  /** What happened to the lines of each log. */
  get counts(): readonly SourceStats[] {
    const readers = [this.#syslog, this.#receiver, this.#journal, this.#files, this.#containers];
    return readers.flatMap((reader) => reader?.counts ?? []);
  }

  /** The log files that a source matches now, or its name. */
  logsOf(source: SourceSpec): readonly string[] {
    return source.kind === 'file' ? this.#files.filesOf(source.pattern) : [this.nameOf(source)];
  }

  /** The name of a source, by where its lines come from now. */
  nameOf(source: SourceSpec): string {
    const copy = this.#fallbacks.replacementOf(source);
    return copy ? `docker:${copy.container}` : sourceName(source, this.#parts.syslogFile);
  }

  /** The logs of the jails that run, if not one of them can be read at present. */
  unreadable(): readonly string[] {
    const { active } = this.#parts.registry;
    const sources = [...active.values()].flatMap(({ jail }) => jail.spec.sources);
    const logs = sources.filter(({ kind }) => kind !== 'bans');
    if (!logs.every((source) => this.#isLost(source))) return [];
    return [...new Set(logs.map((source) => this.nameOf(source)))];
  }

  #isLost(source: SourceSpec): boolean {
    const copy = this.#fallbacks.replacementOf(source);
    if (copy) return this.#containers.isLost(copy.containerId);
    switch (source.kind) {
      case 'syslog':
        return source.via !== 'receiver' && this.#syslog.isLost;
      case 'docker':
        return this.#containers.isLost(source.containerId);
      case 'journald':
        return this.#journal.isLost;
      case 'file':
        return this.#files.isLost(source.pattern);
      case 'bans':
        return false;
    }
  }

  /** Docker's copies are updated first: how far they were read decides what the first choices take. */
  #followContainers(): void {
    const { registry } = this.#parts;
    const sources = [...registry.active.values()].flatMap(({ jail }) => jail.spec.sources);
    this.#pieces.keepOnly(
      new Set(sources.flatMap((source) => (source.kind === 'syslog' ? source.containerId : []))),
    );
    this.#fallbacks.report(registry);
    for (const reader of [this.#containers, this.#syslog, this.#receiver, this.#journal])
      reader?.update(registry);
  }

  #readUpTo(jail: ActiveJail, source: SourceSpec): number | undefined {
    if (source.kind === 'journald') return this.#journal.readUpTo(jail, source);
    if (source.kind !== 'syslog') return undefined;
    const before = this.#pieces.readUpTo(source);
    if (before !== undefined) return before;
    const reader = source.via === 'receiver' ? this.#receiver : this.#syslog;
    return reader?.readUpTo(source.program);
  }
}

/** The name of a source in events and in `status`. */
function sourceName(source: SourceSpec, syslogFile: string): string {
  switch (source.kind) {
    case 'syslog':
      return source.via === 'receiver' ? `syslog receiver:${source.program}` : syslogFile;
    case 'docker':
      return `docker:${source.container}`;
    case 'journald':
      return source.container === undefined ? 'journal' : `journal:${source.container}`;
    case 'file':
      return source.pattern;
    case 'bans':
      return 'bans of other jails';
  }
}
