import type { GuardedJail } from '../firewall/firewall.ts';
import type { Ban } from '../jail/ban.ts';
import type { Store } from '../store/store.ts';
import type { Decision } from './detector.ts';
import { readGuardedJails } from './guarded-jails.ts';

const jailsNote = 'guarded-jails';

/** What this run has from the one before, and leaves to the next. */
export class Memory {
  readonly #store: Store;
  readonly #clock: () => number;
  /** The note of the jails as it was written last. */
  #jails: string | undefined;

  constructor(store: Store, clock: () => number) {
    this.#store = store;
    this.#clock = clock;
  }

  /** The bans in force, by jail and address. @param jails undefined: those of all */
  bans(jails?: ReadonlySet<string>): Map<string, Map<string, Ban>> {
    const byJail = new Map<string, Map<string, Ban>>();
    for (const { jail, ip, since, until } of this.#store.bans(this.#clock())) {
      if (jails && !jails.has(jail)) continue;
      let bans = byJail.get(jail);
      if (!bans) byJail.set(jail, (bans = new Map()));
      bans.set(ip, { jail, ip, since, until });
    }
    return byJail;
  }

  /** Remembers a ban, with what led to it. */
  keep({
    ban,
    failures,
    container,
    lines,
  }: Pick<Decision, 'ban' | 'container' | 'lines'> & { failures?: number | undefined }): void {
    const count = Math.max(1, this.#store.history.count(ban.ip, ban.jail, this.#clock()));
    this.#store.put({ ...ban, count, failures, container, lines });
  }

  /** Remembers a ban of which nothing more is known: one made by hand, or found in the kernel. */
  keepBare(ban: Ban): void {
    this.keep({ ban, failures: undefined, container: undefined, lines: [] });
  }

  /** Forgets a ban, and that it ever was. */
  forget({ jail, ip }: Pick<Ban, 'jail' | 'ip'>): void {
    this.#store.remove(jail, ip);
  }

  /** What the jails closed when that was last told. */
  get lastJails(): readonly GuardedJail[] {
    const text = this.#store.notes.get(jailsNote);
    return text === undefined ? [] : readGuardedJails(text);
  }

  /** Remembers what the jails close, for the time before the next run knows it. */
  keepJails(jails: readonly GuardedJail[]): void {
    const text = JSON.stringify(jails);
    if (text === this.#jails) return;
    this.#jails = text;
    this.#store.notes.set(jailsNote, text);
  }
}
