/** Turns DNS names into addresses without ever making a filter wait. */
export interface NameResolver {
  /**
   * @param whenKnown called later with the addresses, if they aren't known yet
   * @returns the addresses, if they are known; an empty list for a name that has none
   */
  lookup(name: string, whenKnown: (addresses: readonly string[]) => void): readonly string[] | undefined;
}
