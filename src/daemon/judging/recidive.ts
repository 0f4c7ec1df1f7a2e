import { countsBans } from '../../config/jails/jail-sources.ts';
import type { Failure } from '../../filter/failure.ts';
import type { Jail } from '../../jail/jail.ts';
import type { BanChange } from '../enforcing/bans.ts';
import type { JailRegistry } from '../../jail/jail-registry.ts';

/** Milliseconds within which the line of a ban is expected in a log that a jail reads. */
const readWithin = 600_000;
/** Milliseconds by which a line may be dated before the ban: some logs have whole seconds. */
const earlier = 2000;
/** Most bans that wait for their lines. */
const mostWaiting = 10_000;

/** The line of a ban in fail2ban.log. */
const banLine = /\[([^\]\s]+)\]\s+Ban\s/;

/**
 * Feeds the jails that count bans (`recidive`) with the bans of all other jails, at once and without any log. Such a jail may
 * also read a log of fail2ban's, where dock2ban's own lines can be among others': a line that tells of a ban that the jail was
 * fed with, in the ten minutes after it, isn't counted again.
 */
export class Recidive {
  readonly #registry: JailRegistry;
  readonly #clock: () => number;
  /** Jail, banning jail and address → when it was fed, the oldest first. */
  readonly #fed = new Map<string, readonly number[]>();

  /** @param clock epoch milliseconds */
  constructor(registry: JailRegistry, clock: () => number) {
    this.#registry = registry;
    this.#clock = clock;
  }

  /** The failures that a new ban by a log or an operator means to other jails. */
  feed(change: BanChange): { readonly jail: Jail; readonly failure: Failure }[] {
    if (change.kind !== 'in-force' || change.renewed) return [];
    if (change.origin !== 'log' && change.origin !== 'hand') return [];
    const { jail: name, ip } = change.ban;
    const now = this.#clock();
    const jails = [...this.#registry.active.values()].map(({ jail }) => jail);
    const counting = jails.filter((jail) => jail.name !== name && countsBans(jail.spec));
    return counting.map((jail) => {
      if (jail.spec.sources.length > 1) this.#remember(keyOf(jail.name, name, ip), now);
      const line = `[${name}] Ban ${ip}`;
      return { jail, failure: { id: ip, time: now, attempts: 1, lines: [line], fields: {} } };
    });
  }

  /** Drops failures whose line reports a ban that the jail was already fed. */
  unfed(jail: Jail, failures: readonly Failure[]): readonly Failure[] {
    if (this.#fed.size === 0 || !countsBans(jail.spec)) return failures;
    return failures.filter(({ id, time, lines }) => {
      const [, name] = banLine.exec(lines.at(-1) ?? '') ?? [];
      return name === undefined || !this.#take(keyOf(jail.name, name, id), time);
    });
  }

  #remember(key: string, now: number): void {
    const times = this.#fed.get(key) ?? [];
    this.#fed.delete(key);
    this.#fed.set(key, [...times.filter((time) => time > now - readWithin), now]);
    for (const [oldest, known] of this.#fed) {
      if (this.#fed.size <= mostWaiting && known.at(-1)! > now - readWithin) break;
      this.#fed.delete(oldest);
    }
  }

  /** Whether a line of that time reports a ban that was fed; each matches once. */
  #take(key: string, time: number): boolean {
    const times = this.#fed.get(key);
    const index = times?.findIndex((fed) => time >= fed - earlier && time <= fed + readWithin) ?? -1;
    if (!times || index < 0) return false;
    if (times.length === 1) this.#fed.delete(key);
    else this.#fed.set(key, times.toSpliced(index, 1));
    return true;
  }
}

function keyOf(...parts: readonly string[]): string {
  return parts.join('\n');
}
