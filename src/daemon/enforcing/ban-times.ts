import type { ClockSteps } from './clock-steps.ts';
import type { EventLog } from '../events/event-log.ts';
import type { JailRegistry } from '../../jail/jail-registry.ts';
import type { Bans } from './bans.ts';

export interface BanTimesParts {
  readonly registry: JailRegistry;
  readonly bans: Bans;
  readonly events: EventLog;
  readonly clockSteps: ClockSteps;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** Ends bans in time, and keeps their remaining time when the clock is set. */
export class BanTimes {
  readonly #parts: BanTimesParts;

  constructor(parts: BanTimesParts) {
    this.#parts = parts;
  }

  async look(): Promise<void> {
    const { registry, bans, events, clockSteps, clock } = this.#parts;
    // Repeated until the clock stands still: it may be set again while the last step is handled.
    for (let step = clockSteps.look(); step !== 0; step = clockSteps.look()) await this.#shift(step);
    const now = clock();
    const jails = [...registry.all.values()];
    await bans.lift(
      jails.flatMap((jail) => jail.expire(now)),
      'expired',
    );
    for (const jail of jails) {
      // A jail holds no more bans than can be restored in time; the history of those it sheds is kept.
      const shed = jail.shed();
      if (shed.length === 0) continue;
      events.bansShed(jail.name, shed.length, jail.bans.size);
      await bans.lift(shed, 'shed');
    }
  }

  /** The kernel's timeouts ignore the clock, so the bans' times move along with it. */
  async #shift(step: number): Promise<void> {
    const { registry, bans, events } = this.#parts;
    for (const jail of registry.all.values()) jail.shift(step);
    const all = [...registry.bans()];
    events.clockSet(step, all.length);
    await bans.retime(all);
  }
}
