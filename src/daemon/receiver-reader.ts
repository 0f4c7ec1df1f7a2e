import type { ListenerCounts } from '../sources/listener-counts.ts';
import { type ReceiverOptions, SyslogReceiver } from '../sources/syslog-receiver.ts';
import type { EventLog } from './event-log.ts';
import type { JailRegistry } from './jail-registry.ts';
import type { Matching } from './matching.ts';
import { SyslogRoutes } from './syslog-routes.ts';

/** What the operator says of the syslog receiver. */
export type ReceiverSettings = Pick<ReceiverOptions, 'listen' | 'allow' | 'tls' | 'hostname'>;

/** Receives syslog messages, and takes them to the jails whose containers log to us under that program name. */
export class ReceiverReader {
  readonly #receiver: SyslogReceiver;
  readonly #events: EventLog;
  readonly #routes: SyslogRoutes;

  constructor(settings: ReceiverSettings, matching: Matching, events: EventLog, clock: () => number) {
    this.#routes = new SyslogRoutes('receiver', matching);
    const wanted = (program: string): boolean => this.#routes.has(program);
    this.#receiver = new SyslogReceiver({ ...settings, wanted, now: clock });
    this.#events = events;
  }

  /** What each listener has seen since the start. */
  get stats(): readonly ListenerCounts[] {
    return this.#receiver.stats;
  }

  /** Listens until `signal` aborts; from the start, as containers can't start while nobody takes their connection. */
  async run(signal: AbortSignal): Promise<void> {
    for await (const update of this.#receiver.receive(signal)) {
      switch (update.type) {
        case 'lines':
          for (const line of update.lines) this.#routes.take(line, true);
          break;
        case 'lost':
          this.#events.sourceLost(update.address, update.error.message, update.error.fix);
          break;
        case 'resumed':
          this.#events.sourceResumed(update.address);
          break;
        case 'refused':
          this.#events.senderRefused(update.address, update.sender);
          break;
        case 'dropped':
          this.#events.linesDropped(update.address, update.count, update.total);
          break;
      }
    }
  }

  /** Follows the jails' sources. */
  update(registry: JailRegistry): void {
    this.#routes.update(registry);
  }
}
