import type { ClosedPort, DirectPath } from '../jail-spec.ts';

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
   * Where it stands in a local network by itself: certain ports of it, or everything, of which only TCP connections from outside can be told from
   * answers to what it asks there.
   */
  readonly direct?: readonly DirectPath[];
  /**
   * Canonical addresses and prefixes, none within another. Undefined: no label says who; empty: nobody. One that names no address of a
   * family lets nobody of that family in.
   */
  readonly allow: readonly string[] | undefined;
  /** Canonical addresses and prefixes, none within another. */
  readonly deny: readonly string[];
  /**
   * The container doesn't run. So only what Docker's DNAT leads away from this host is meant: until it starts, what is served here at its
   * ports is another's.
   */
  readonly awaited?: true;
}
