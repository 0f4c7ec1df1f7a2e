import type { Counting } from './counted.ts';
import type { StoreEvent } from './database-keeper.ts';
import type { StoreError } from './store-error.ts';
import type { Ban } from '../jail/ban.ts';

export interface StoreOptions {
  /** Made if it is missing. */
  readonly stateDir: string;
  /** Seconds for which bans that are over are remembered: fail2ban's `dbpurgeage`. */
  readonly purgeAge: number;
  /** Every ban in force, for when what is stored was lost and has to be written again. */
  readonly active: () => Iterable<Ban>;
  /** What is counted; undefined: nothing is. */
  readonly counting?: Counting;
  readonly report: (event: StoreEvent) => void;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

export interface StoreStatus {
  readonly path: string;
  /** Undefined: everything can be stored. */
  readonly trouble: StoreError | undefined;
  /** What waits to be written. */
  readonly waiting: number;
}
