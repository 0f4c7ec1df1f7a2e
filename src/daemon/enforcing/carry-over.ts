import { setImmediate as turn } from 'node:timers/promises';
import { contains } from '../../net/address.ts';
import type { JailSpec } from '../../config/jail-spec.ts';
import type { Ban } from '../../jail/ban.ts';
import { lastEnd } from '../../jail/ban-end.ts';
import { Jail } from '../../jail/jail.ts';
import { LineBudget } from '../../jail/line-budget.ts';
import type { Counting } from '../../store/counted.ts';
import type { Store } from '../../store/store.ts';
import { isActive } from '../../store/stored-ban.ts';
import type { Decision } from '../judging/judge.ts';

/** What is rewritten before others have their turn. */
const movedAtOnce = 500;

/** What this run has from the one before, and leaves to the next. */
export class Memory {
  readonly #store: Store;
  readonly #clock: () => number;
  readonly #lines = new LineBudget();

  constructor(store: Store, clock: () => number) {
    this.#store = store;
    this.#clock = clock;
  }

  /** A jail with what earlier runs have counted in it. */
  newJail(spec: JailSpec): Jail {
    const jail = new Jail(spec, this.#store.history, Math.random, this.#lines);
    this.restoreFailures(jail);
    return jail;
  }

  /** Takes over what earlier runs have counted; what this one has counted of the same address stands. */
  restoreFailures(jail: Jail): void {
    const { name, spec } = jail;
    for (const [ip, failures] of this.#store.failures(name, this.#clock(), spec.findtime)) {
      if (!jail.ignores(ip)) jail.failures.restore(ip, failures);
    }
  }

  /** Failures were counted: they are stored soon after. */
  noteCounted(): void {
    this.#store.noteCounted();
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

  /**
   * The bans in force that are remembered of addresses, and of all that is in prefixes.
   * @param ips empty: of everybody
   * @param isWanted asked for the jail of each
   */
  bansOf(ips: readonly string[], isWanted: (jail: string) => boolean): Pick<Ban, 'jail' | 'ip'>[] {
    const now = this.#clock();
    const prefixes = ips.filter((ip) => ip.includes('/'));
    const single = ips.filter((ip) => !ip.includes('/')).flatMap((ip) => this.#store.of(ip));
    const found = single.filter((ban) => isActive(ban, now) && isWanted(ban.jail));
    if (ips.length > 0 && prefixes.length === 0) return found;
    for (const ban of this.#store.bans(now)) {
      if (!isWanted(ban.jail)) continue;
      if (ips.length === 0 || prefixes.some((prefix) => contains(prefix, ban.ip))) found.push(ban);
    }
    return found;
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

  /** Remembers other times of bans that are remembered already. */
  async keepMoved(bans: readonly Ban[]): Promise<void> {
    for (const [index, ban] of bans.entries()) {
      const known = this.#store.get(ban.jail, ban.ip);
      if (known) this.#store.put({ ...known, ...ban });
      else this.keepBare(ban);
      if (index % movedAtOnce === 0) await turn();
    }
    this.noteCounted();
  }

  /** Forgets a ban, and that it ever was. */
  forget({ jail, ip }: Pick<Ban, 'jail' | 'ip'>): void {
    this.#store.remove(jail, ip);
  }
}

/** What jails count, as the store takes it. @param jails every jail of this process */
export function countingOf(jails: () => Iterable<Jail>): Counting {
  return {
    *changes() {
      for (const { name: jail, spec, failures: book } of jails()) {
        for (const [ip, failures] of book.changes()) {
          yield {
            jail,
            ip,
            failures,
            until: Math.min((failures?.last ?? 0) + spec.findtime * 1000, lastEnd),
          };
        }
      }
    },
    settle: () => {
      for (const { failures } of jails()) failures.settle();
    },
    unsettle: () => {
      for (const { failures } of jails()) failures.unsettle();
    },
  };
}
