import { Dock2banError, messageOf } from '../../errors.ts';
import type { Shortfall } from '../../firewall/firewall.ts';
import type { EventLog } from '../events/event-log.ts';

/** Failed calls that are remembered until the firewall works again. */
const mostFailures = 20;

/** What is not enforced at present, and why. Each is logged once, until it is over. */
export class Troubles {
  readonly #events: EventLog;
  /** Calls that have failed since the last reconciliation that worked: message → text. */
  readonly #failures = new Map<string, string>();
  /** Shortfalls of the last reconciliation that worked: text → the jail, if it concerns one only. */
  #shortfalls: ReadonlyMap<string, string | undefined> = new Map();

  constructor(events: EventLog) {
    this.#events = events;
  }

  /** For people. */
  get texts(): string[] {
    return [...this.#shortfalls.keys(), ...this.#failures.values()];
  }

  /** Troubles that affect all jails: what a single jail lacks may be its own container's doing. @param jails that run */
  ofAllJails(jails: readonly string[]): string[] {
    const lacking = new Set(this.#shortfalls.values());
    if (jails.every((jail) => lacking.has(jail))) return this.texts;
    const common = [...this.#shortfalls].filter(([, jail]) => jail === undefined);
    return [...common.map(([text]) => text), ...this.#failures.values()];
  }

  /** A call to the firewall failed. @param consequence what follows from it, for people */
  failed(consequence: string, error: unknown): void {
    const message = messageOf(error);
    if (this.#failures.has(message)) return;
    if (this.#failures.size >= mostFailures) this.#failures.delete(this.#failures.keys().next().value!);
    this.#failures.set(message, `${consequence}: ${message}`);
    this.#events.firewallError(consequence, message, error instanceof Dock2banError ? error.fix : undefined);
  }

  /** The firewall was reconciled, but for these shortfalls. @param isRetried whether what had failed was done now */
  reconciled(shortfalls: readonly Shortfall[], isRetried: boolean): void {
    if (isRetried) this.#failures.clear();
    const now = new Map<string, string | undefined>();
    for (const { jail, consequence, error } of shortfalls) {
      const text = `${consequence}: ${error.message}`;
      if (!this.#shortfalls.has(text) && !now.has(text))
        this.#events.firewallError(consequence, error.message, error.fix);
      now.set(text, jail);
    }
    this.#shortfalls = now;
  }
}
