import { messageOf } from '../../errors.ts';
import type { Store } from '../../store/store.ts';
import type { DockerState } from '../docker-state.ts';
import type { Enforcer } from '../enforcing/enforcer.ts';
import type { LogSources } from '../reading/log-sources.ts';

export interface HealthParts {
  readonly docker: Pick<DockerState, 'isConnected' | 'troubles'>;
  readonly sources: Pick<LogSources, 'unreadable'>;
  readonly store: Pick<Store, 'status'>;
  readonly enforcer: Pick<Enforcer, 'info' | 'troublesOfAllJails'>;
  /** Milliseconds since boot; unlike the clock, it is never set. */
  readonly uptime: () => number;
}

/** What dock2ban can't do without. */
type Need = 'Docker' | 'logs' | 'state' | 'firewall';

/** Milliseconds that something may fail before the health check does: an engine restarts, a log is rotated. */
const patience = 60_000;

/** Tells a controller that works from one that merely runs: whatever has failed for more than a minute makes it unhealthy. */
export class Health {
  readonly #parts: HealthParts;
  /** Since when each has failed without a break, as `uptime` counts. */
  readonly #since = new Map<Need, number>();

  constructor(parts: HealthParts) {
    this.#parts = parts;
  }

  /** Notes what fails now; called every few seconds. */
  look(): void {
    const now = this.#parts.uptime();
    const failing = this.#failing();
    for (const need of this.#since.keys()) if (!failing.has(need)) this.#since.delete(need);
    for (const need of failing.keys()) if (!this.#since.has(need)) this.#since.set(need, now);
  }

  /** What has failed for more than a minute and still does, and why; for people. Empty: healthy. */
  get faults(): string[] {
    this.look();
    const before = this.#parts.uptime() - patience;
    return [...this.#failing()].flatMap(([need, text]) => (this.#since.get(need)! < before ? [text] : []));
  }

  #failing(): Map<Need, string> {
    const { docker, sources, store, enforcer } = this.#parts;
    const failing = new Map<Need, string>();
    if (!docker.isConnected) {
      const [why = 'it has not answered yet'] = docker.troubles;
      failing.set('Docker', `Docker can't be reached: ${why}`);
    }
    const unreadable = sources.unreadable();
    if (unreadable.length > 0) failing.set('logs', `no log can be read: ${unreadable.join(', ')}`);
    const { path, trouble } = store.status;
    if (trouble) failing.set('state', `nothing can be stored in ${path}: ${messageOf(trouble)}`);
    const troubles = enforcer.troublesOfAllJails;
    if (!enforcer.info || troubles.length > 0) {
      const why = troubles.join('; ') || 'the firewall has not been opened yet';
      failing.set('firewall', `bans are not enforced: ${why}`);
    }
    return failing;
  }
}
