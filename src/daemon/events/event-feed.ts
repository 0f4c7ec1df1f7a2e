import type { LogEvent } from '../../control/api.ts';
import type { EventSource, StreamedEvent } from '../../control/controller.ts';

/** Where events are logged: what pino has of it. */
export interface EventSink {
  info(fields: object, msg: string): void;
  warn(fields: object, msg: string): void;
  error(fields: object, msg: string): void;
}

/** Events that come with every line of an attack, and must not push out the others. */
const frequent: ReadonlySet<string> = new Set(['found', 'ignored']);

/** Of the frequent events, and of the others: how many are held, and UTF-16 code units of them. */
const limits = { events: 1000, text: 192 * 1024 } as const;
/** UTF-16 code units of one field. Attackers write some of them. */
const mostField = 1024;

/**
 * The newest log events, and the way to those who watch. Every event goes through here, whatever the least level that is
 * printed.
 */
export class EventFeed implements EventSource {
  readonly #clock: () => number;
  readonly #frequent = new Ring();
  readonly #others = new Ring();
  readonly #watchers = new Set<(event: StreamedEvent) => void>();
  #id: number;

  /** @param clock epoch milliseconds */
  constructor(clock: () => number) {
    this.#clock = clock;
    // A thousand for each millisecond: ids go on growing over a restart.
    this.#id = clock() * 1000;
  }

  /** A log whose events come here too. */
  tee(log: EventSink): EventSink {
    const tell =
      (level: LogEvent['level']) =>
      (fields: object, msg: string): void => {
        log[level](fields, msg);
        this.#take(level, fields, msg);
      };
    return { info: tell('info'), warn: tell('warn'), error: tell('error') };
  }

  after(id: number): readonly StreamedEvent[] {
    const events = [...this.#frequent.events, ...this.#others.events].filter((event) => event.id > id);
    return events.toSorted((a, b) => a.id - b.id);
  }

  subscribe(take: (event: StreamedEvent) => void): () => void {
    this.#watchers.add(take);
    return () => void this.#watchers.delete(take);
  }

  #take(level: LogEvent['level'], fields: object, msg: string): void {
    const { event = 'notice', jail }: { event?: string; jail?: string } = fields;
    const id = ++this.#id;
    const time = new Date(this.#clock()).toISOString();
    // JSON is a text of its own: an event keeps no line of a log alive that a part of it was cut from.
    const whole = { id, time, level, ...fields, msg };
    const text = JSON.stringify(whole);
    const json = text.length > mostField ? JSON.stringify(whole, bounded) : text;
    const streamed = { id, event, jail, json };
    (frequent.has(event) ? this.#frequent : this.#others).push(streamed);
    for (const watch of this.#watchers) watch(streamed);
  }
}

function bounded(_key: string, value: unknown): unknown {
  return typeof value === 'string' && value.length > mostField ? `${value.slice(0, mostField)}…` : value;
}

/** The newest events. */
class Ring {
  readonly #events: StreamedEvent[] = [];
  #first = 0;
  #text = 0;

  get events(): readonly StreamedEvent[] {
    return this.#events.slice(this.#first);
  }

  push(event: StreamedEvent): void {
    this.#events.push(event);
    this.#text += event.json.length;
    while (this.#events.length - this.#first > limits.events || this.#text > limits.text) {
      this.#text -= this.#events[this.#first++]!.json.length;
    }
    // Now and then, so that each event is moved a few times at most.
    if (this.#first <= limits.events) return;
    this.#events.splice(0, this.#first);
    this.#first = 0;
  }
}
