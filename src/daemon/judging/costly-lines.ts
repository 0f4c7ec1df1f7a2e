import type { JailSpec } from '../../config/jail-spec.ts';
import type { ExceededReport } from '../../filter/filter-options.ts';
import type { EventLog } from '../events/event-log.ts';

/** Milliseconds between two events about a jail. */
const pause = 60_000;

/** Reports lines that were too costly for a jail's filter: one event a minute, since such lines come in masses. */
export class CostlyLines {
  readonly #events: EventLog;
  readonly #clock: () => number;
  /** By jail: when it was last reported, and how many lines came since. */
  readonly #told = new Map<string, { at: number; since: number }>();

  constructor(events: EventLog, clock: () => number) {
    this.#events = events;
    this.#clock = clock;
  }

  report({ name, containers, filter }: JailSpec, report: ExceededReport): void {
    const now = this.#clock();
    const told = this.#told.get(name);
    if (told && Math.abs(now - told.at) < pause) {
      told.since += 1;
      return;
    }
    this.#told.set(name, { at: now, since: 0 });
    const [, list, index] = /^(failregex|ignoreregex)\[(\d+)\]$/.exec(report.expression) ?? [];
    const text =
      list === 'failregex' || list === 'ignoreregex'
        ? filter[list][Number(index)]
        : report.expression === 'prefregex'
          ? filter.prefregex
          : filter.datepattern;
    this.#events.filterExceeded(name, containers, report, text ?? '', told?.since ?? 0);
  }
}
