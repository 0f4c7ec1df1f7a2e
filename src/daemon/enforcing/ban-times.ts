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

/** Ends bans when their time is over, and keeps what is left of them when the clock is set. */
export class BanTimes {
  readonly #parts: BanTimesParts;

  constructor(parts: BanTimesParts) {
    this.#parts = parts;
  }

  async look(): Promise<void> {
    const { registry, bans, events, clockSteps, clock } = this.#parts;
    // Until it wasn't set: a ban isn't over for a clock that was set while the last step was followed.
    for (let step = clockSteps.look(); step !== 0; step = clockSteps.look()) await this.#shift(step);
    const now = clock();
    const jails = [...registry.all.values()];
    await bans.lift(
      jails.flatMap((jail) => jail.expire(now)),
      'expired',
    );
    for (const jail of jails) {
      // A jail holds no more bans than can be restored in time; what is remembered of those that it gives up stays.
      const shed = jail.shed();
      if (shed.length === 0) continue;
      events.bansShed(jail.name, shed.length, jail.bans.size);
      await bans.lift(shed, 'shed');
    }
  }

  /** What the kernel counts down doesn't know the clock: what is known of it moves along. */
  async #shift(step: number): Promise<void> {
    const { registry, bans, events } = this.#parts;
    for (const jail of registry.all.values()) jail.shift(step);
    const all = [...registry.bans()];
    events.clockSet(step, all.length);
    await bans.retime(all);
  }
}
