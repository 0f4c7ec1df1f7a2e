import type { Repair } from '../firewall.ts';
import type { Listing } from './listing.ts';
import type { Place } from './names.ts';

/** What was seen in the kernel, and what should be there. */
export interface TableState {
  readonly listing: Listing;
  /** What somebody did to the table. */
  readonly repairs: readonly Repair[];
  /** The sets that there must be. */
  readonly places: ReadonlyMap<string, Place>;
  /** Sets that are of no use any more, or can't hold what they should. */
  readonly obsolete: readonly string[];
  /** What was read of sets in full. */
  readonly held: ReadonlyMap<string, Held>;
  /** Jails of which the kernel held nothing. */
  readonly fresh: readonly string[];
}

/** What a set was found to hold. */
export interface Held {
  /** Address → seconds left, 0 for ever. */
  readonly members: ReadonlyMap<string, number>;
  /** Before it was read. Epoch milliseconds. */
  readonly asked: number;
  /** Whether what nobody asked for is to be removed. */
  readonly mayPrune: boolean;
  /** Addresses and prefixes that were changed meanwhile, so that nothing can be said about them. */
  readonly changed: ReadonlySet<string>;
}

/** A set that was read in its turn. */
export interface Audited {
  readonly set: string;
  readonly held: Held;
}
