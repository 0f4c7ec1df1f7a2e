/** How long a ban is remembered, milliseconds; fail2ban's `dbpurgeage` is a day. */
const rememberedFor = 86_400_000;
/** Attackers may have many addresses: beyond this, the ones that were banned longest ago are forgotten. */
const mostAddresses = 100_000;

/** How often an address was banned: what `bantime.increment` grows by. */
export interface BanCounts {
  /** @param jail undefined: in all jails (`bantime.overalljails`)  @param now epoch milliseconds */
  count(ip: string, jail: string | undefined, now: number): number;
  /**
   * Takes note of a ban.
   * @param now epoch milliseconds
   * @param overall with `bantime.overalljails`: as fail2ban stores it, the bans of other jails become this one's too
   */
  add(ip: string, jail: string, now: number, overall?: boolean): void;
}

interface Record {
  /** Bans by jail. */
  readonly counts: Map<string, number>;
  /** Epoch milliseconds of the last one. */
  last: number;
}

/** Who was banned how often, in memory. */
export class BanHistory implements BanCounts {
  /** The longest not banned first. */
  readonly #records = new Map<string, Record>();

  /** @param jail undefined: in all jails (`bantime.overalljails`)  @param now epoch milliseconds */
  count(ip: string, jail: string | undefined, now: number): number {
    const record = this.#records.get(ip);
    if (!record || record.last + rememberedFor < now) return 0;
    if (jail !== undefined) return record.counts.get(jail) ?? 0;
    return [...record.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Takes note of a ban. */
  add(ip: string, jail: string, now: number, overall = false): void {
    const count = this.count(ip, overall ? undefined : jail, now) + 1;
    const before = this.#records.get(ip);
    const counts = before && before.last + rememberedFor >= now ? before.counts : new Map<string, number>();
    counts.set(jail, count);
    this.#records.delete(ip);
    this.#records.set(ip, { counts, last: now });
    const [oldest] = this.#records.keys();
    if (this.#records.size > mostAddresses && oldest !== undefined) this.#records.delete(oldest);
  }
}
