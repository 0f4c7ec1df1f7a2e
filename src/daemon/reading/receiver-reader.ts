import { listenerKey } from '../../config/labels/syslog-address.ts';
import type { SyslogLine } from '../../sources/syslog/follow-syslog-file.ts';
import type { ListenerCounts } from '../../sources/syslog/listener-counts.ts';
import { type ReceiverOptions, SyslogReceiver } from '../../sources/syslog/receiver.ts';
import type { EventLog } from '../events/event-log.ts';
import type { Fallbacks } from './fallbacks.ts';
import type { Positions } from './positions.ts';
import type { JailRegistry } from '../../jail/jail-registry.ts';
import { newTally, type SourceCounts } from './line-counts.ts';
import { SourceBook } from './source-book.ts';
import type { Matching } from '../judging/matching.ts';
import type { SyslogPieces } from './syslog-pieces.ts';
import { SyslogRoutes } from './syslog-routes.ts';

/** What the operator says of the syslog receiver. */
export type ReceiverSettings = Pick<ReceiverOptions, 'listen' | 'allow' | 'tls' | 'hostname'>;

/** What a receiver works with besides. */
export interface ReceiverReaderParts {
  readonly matching: Matching;
  readonly events: EventLog;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  /** When the last line came is kept here: others can be read behind it elsewhere. */
  readonly positions: Positions;
  /** Told when a listener isn't open, and says which lines were taken elsewhere. */
  readonly fallbacks: Fallbacks;
  readonly pieces: SyslogPieces;
}

/** Receives syslog messages, and takes them to the jails whose containers log to us under that program name. */
export class ReceiverReader {
  readonly #receiver: SyslogReceiver;
  readonly #settings: ReceiverSettings;
  readonly #parts: ReceiverReaderParts;
  readonly #routes: SyslogRoutes;
  readonly #book: SourceBook;

  constructor(settings: ReceiverSettings, parts: ReceiverReaderParts) {
    const { matching, events, clock, fallbacks, pieces, positions } = parts;
    this.#settings = settings;
    this.#parts = parts;
    this.#routes = new SyslogRoutes('receiver', matching, fallbacks, pieces);
    // Its position is the time of the last message.
    const source = { name: 'syslog receiver', key: 'syslog-receiver', unit: 'lines' } as const;
    this.#book = new SourceBook(source, events, positions);
    const wanted = (program: string): boolean => this.#routes.has(program);
    this.#receiver = new SyslogReceiver({ ...settings, wanted, now: clock });
  }

  /** What happened to the messages to each listener, and to the lines that jails took of all of them. */
  get counts(): readonly SourceCounts[] {
    const listeners = this.#receiver.stats.map(({ address, messages, cut, dropped, kernelDropped = 0 }) => {
      const counts = { ...newTally('lines'), lines: messages, cut, dropped: dropped + kernelDropped };
      return { source: address, ...counts };
    });
    return [...listeners, { source: 'syslog receiver', ...this.#book.counts }];
  }

  /** Up to when what a program logs was received, in this run or an earlier one, epoch milliseconds; undefined: not at all. */
  readUpTo(program: string): number | undefined {
    const stored = this.#book.position;
    return this.#routes.readUpTo(program) ?? (stored === undefined ? undefined : Number(stored));
  }

  /** What each listener has seen since the start. */
  get stats(): readonly ListenerCounts[] {
    return this.#receiver.stats;
  }

  /** Listens until `signal` aborts; from the start, as containers can't start while nobody takes their connection. */
  async run(signal: AbortSignal): Promise<void> {
    const { events } = this.#parts;
    for await (const update of this.#receiver.receive(signal)) {
      switch (update.type) {
        case 'lines':
          this.#take(update.lines);
          this.#book.enter(update);
          break;
        case 'lost':
          events.sourceLost(update.address, update.error.message, update.error.fix);
          this.#parts.fallbacks.unreadable(this.#wayOf(update.address), update.address);
          break;
        case 'resumed':
          events.sourceResumed(update.address);
          this.#parts.fallbacks.readable(this.#wayOf(update.address));
          break;
        case 'refused':
          events.senderRefused(update.address, update.sender);
          break;
        case 'closed':
          events.connectionClosed(update.address, update.sender, update.reason);
          break;
        case 'dropped':
          events.linesDropped(update.address, update.count, update.total);
          break;
      }
    }
  }

  /** Keeps positions from being forgotten for their age. */
  keepPositions(): void {
    this.#book.keepPosition();
  }

  /** Follows the jails' sources. */
  update(registry: JailRegistry): void {
    this.#routes.update(registry);
  }

  #take(lines: readonly SyslogLine[]): void {
    const { counts } = this.#book;
    counts.lines = (counts.lines ?? 0) + lines.length;
    for (const line of lines) counts.matched += this.#routes.take(line, true);
  }

  /** @param url of a listener */
  #wayOf(url: string): `listener ${string}` {
    const address = this.#settings.listen.find((listener) => listener.url === url);
    return `listener ${address ? listenerKey(address) : ''}`;
  }
}
