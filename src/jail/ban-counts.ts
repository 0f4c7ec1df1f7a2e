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
