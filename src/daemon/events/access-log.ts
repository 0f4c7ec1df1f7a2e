import type { AccessSpec } from '../../config/labels/access-spec.ts';
import type { AccessStatus } from '../../control/api.ts';
import { portNames } from './describe.ts';
import type { EventLog } from './event-log.ts';

/** Says who gets to which container, whenever that changes. */
export class AccessLog {
  readonly #events: EventLog;
  /** By container, as it was said. */
  #said: ReadonlyMap<string, string> = new Map();

  constructor(events: EventLog) {
    this.#events = events;
  }

  /** @param accesses all that labels say now */
  report(accesses: readonly AccessSpec[]): void {
    const now = new Map<string, string>();
    for (const access of accesses) {
      const status = accessStatus(access);
      const text = JSON.stringify(status);
      now.set(access.container, text);
      if (this.#said.get(access.container) !== text) this.#events.accessChanged(status);
    }
    for (const container of this.#said.keys()) if (!now.has(container)) this.#events.accessEnded(container);
    this.#said = now;
  }
}

export function accessStatus({ container, closes, direct = [], allow, deny }: AccessSpec): AccessStatus {
  const ports = portNames({ closes, direct });
  return {
    container,
    ports: ports === 'all' ? [] : ports,
    allowfrom: allow ?? null,
    denyfrom: deny,
  };
}
