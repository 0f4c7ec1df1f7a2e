import { setImmediate as turn } from 'node:timers/promises';
import { contains } from '../../net/address.ts';
import type { AccessSpec } from '../../config/labels/access-spec.ts';
import type { Definers } from '../../config/labels/jail-definer.ts';
import type { JailSpec } from '../../config/jail-spec.ts';
import type { NetworkSnapshot } from '../../docker/snapshot.ts';
import type { GuardedJail } from '../../firewall/firewall.ts';
import type { Ban } from '../../jail/ban.ts';
import { lastEnd } from '../../jail/ban-end.ts';
import { Jail } from '../../jail/jail.ts';
import { LineBudget } from '../../jail/line-budget.ts';
import type { Counting } from '../../store/counted.ts';
import type { Store } from '../../store/store.ts';
import { isActive } from '../../store/stored-ban.ts';
import type { Decision } from '../judging/judge.ts';
import { readGuardedJails } from './guarded-jails.ts';
import { plainDefiners, readDefiners } from './remembered-definers.ts';
import { readAccesses, readNetworks } from './remembered-access.ts';

/** What is rewritten before others have their turn. */
const movedAtOnce = 500;

const jailsNote = 'guarded-jails';
const accessNote = 'access';
const networksNote = 'docker-networks';
const definersNote = 'jail-definers';

/** What this run has from the one before, and leaves to the next. */
export class Memory {
  readonly #store: Store;
  readonly #clock: () => number;
  readonly #lines = new LineBudget();
  /** Each note as it was written last. */
  readonly #notes = new Map<string, string>();

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

  /** What the jails closed when that was last told. */
  get lastJails(): readonly GuardedJail[] {
    const text = this.#store.notes.get(jailsNote);
    return text === undefined ? [] : readGuardedJails(text);
  }

  /** Remembers what the jails close, for the time before the next run knows it. */
  keepJails(jails: readonly GuardedJail[]): void {
    this.#keepNote(jailsNote, jails);
  }

  /** Who got to which container when that was last told. */
  get lastAccess(): readonly AccessSpec[] {
    const text = this.#store.notes.get(accessNote);
    return text === undefined ? [] : readAccesses(text);
  }

  /** Remembers who gets to which container, for the time before the next run knows it. */
  keepAccess(access: readonly AccessSpec[]): void {
    this.#keepNote(accessNote, access);
  }

  /** Docker's networks when they were last told. */
  get lastNetworks(): readonly NetworkSnapshot[] {
    const text = this.#store.notes.get(networksNote);
    return text === undefined ? [] : readNetworks(text);
  }

  /** Remembers Docker's networks: nothing may cut off their containers, before the next run has seen them either. */
  keepNetworks(networks: readonly NetworkSnapshot[]): void {
    this.#keepNote(networksNote, networks);
  }

  /** Whose labels defined which jail when that was last told. */
  get lastDefiners(): Definers {
    const text = this.#store.notes.get(definersNote);
    return text === undefined ? new Map() : readDefiners(text);
  }

  /** Remembers whose labels define which jail: who is there first after a restart is not given it. */
  keepDefiners(definers: Definers): void {
    this.#keepNote(definersNote, plainDefiners(definers));
  }

  #keepNote(name: string, value: unknown): void {
    const text = JSON.stringify(value);
    if (text === this.#notes.get(name)) return;
    this.#notes.set(name, text);
    this.#store.notes.set(name, text);
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
