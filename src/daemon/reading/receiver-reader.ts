import { listenerKey } from '../../config/labels/syslog-address.ts';
import type { SyslogLine } from '../../sources/syslog/follow-syslog-file.ts';
import { type ReceiverOptions, SyslogReceiver } from '../../sources/syslog/receiver.ts';
import type { SourceStats } from '../../control/api.ts';
import type { JailRegistry } from '../../jail/jail-registry.ts';
import type { ReaderParts } from './reader-parts.ts';
import { noCounts, SourceBook } from './source-book.ts';
import { SyslogRoutes } from './syslog-routes.ts';

/** What the operator says of the syslog receiver. */
export type ReceiverSettings = Pick<ReceiverOptions, 'listen' | 'allow' | 'tls' | 'hostname'>;

/** Receives syslog messages, and takes them to the jails whose containers log to us under that program name. */
export class ReceiverReader {
  readonly #receiver: SyslogReceiver;
  readonly #settings: ReceiverSettings;
  readonly #parts: ReaderParts;
  readonly #routes: SyslogRoutes;
  readonly #book: SourceBook;

  constructor(settings: ReceiverSettings, parts: ReaderParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#routes = new SyslogRoutes('receiver', parts);
    // Its position is the time of the last message.
    const source = { name: 'syslog receiver', key: 'syslog-receiver', unit: 'lines' } as const;
    this.#book = new SourceBook(source, parts);
    const wanted = (program: string): boolean => this.#routes.has(program);
    this.#receiver = new SyslogReceiver({ ...settings, wanted, now: parts.clock });
  }

  /** Counts of the messages to each listener, and of the lines that jails took from all of them. */
  get counts(): readonly SourceStats[] {
    const listeners = this.#receiver.stats.map(({ address, messages, cut, dropped, kernelDropped = 0 }) => {
      const counts = { ...noCounts('lines'), lines: messages, cut, dropped: dropped + kernelDropped };
      return { source: address, ...counts };
    });
    return [...listeners, { source: 'syslog receiver', ...this.#book.counts }];
  }

  /** Until when a program's lines were received, in this run or an earlier one, epoch milliseconds; undefined if they never were. */
  readUpTo(program: string): number | undefined {
    const stored = this.#book.position;
    return this.#routes.readUpTo(program) ?? (stored === undefined ? undefined : Number(stored));
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

  /** Refreshes the stored positions, so that the age limit doesn't drop those of quiet logs. */
  keepPositions(): void {
    this.#book.keepPosition();
  }

  /** Adapts to the jails' current sources. */
  update(registry: JailRegistry): void {
    this.#routes.update(registry);
  }

  #take(lines: readonly SyslogLine[]): void {
    const matched = lines.reduce((sum, line) => sum + this.#routes.take(line, true), 0);
    this.#book.countLines(lines.length, matched);
  }

  /** @param url of a listener */
  #wayOf(url: string): `listener ${string}` {
    const address = this.#settings.listen.find((listener) => listener.url === url);
    return `listener ${address ? listenerKey(address) : ''}`;
  }
}
