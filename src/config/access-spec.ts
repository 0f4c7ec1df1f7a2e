import type { ClosedPort } from './jail-spec.ts';

/**
 * Who gets to a container's published ports, by label and apart from any ban. Whom `deny` names is shut out; then, if there is an
 * `allow`, everyone whom it does not name. This host and its containers are never meant.
 */
export interface AccessSpec {
  /** The container's name. */
  readonly container: string;
  /** Its published ports. */
  readonly closes: readonly ClosedPort[];
  /**
   * Canonical addresses and prefixes, none within another. Undefined: no label says who; empty: nobody. One that names no address of a
   * family lets nobody of that family in.
   */
  readonly allow: readonly string[] | undefined;
  /** Canonical addresses and prefixes, none within another. */
  readonly deny: readonly string[];
}
