import type { Dock2banError } from '../errors.ts';

/**
 * Why lines may be missing. `truncated`: the file was cut short, and there is no copy of what was in it last. `gone`: the file that the position to
 * resume after is in has been removed, packed or rewritten. `rotated`: the engine has removed what was read last. `vacuumed`: the
 * journal has.
 */
export type GapReason = 'truncated' | 'gone' | 'rotated' | 'vacuumed';

/** What becomes of a log while it is followed. */
export type SourceNotice =
  /** Nothing was read yet: `position` means everything up to where it begins. */
  | { readonly type: 'begun'; readonly position: string }
  /** It can't be read; comes once, also at the start. */
  | { readonly type: 'lost'; readonly error: Dock2banError }
  /** It can be again; comes once. */
  | { readonly type: 'resumed' }
  /** Lines may be missing here, logged after `from` and before `to`, epoch milliseconds, where that is known. */
  | {
      readonly type: 'gap';
      readonly reason: GapReason;
      readonly from?: number | undefined;
      readonly to?: number;
    }
  /** The position to resume after is none, and was treated as absent. */
  | { readonly type: 'position-invalid'; readonly position: string };

/** What every source yields: lines, none of which was yielded before, and notices. */
export type SourceUpdate<Lines> = SourceLines<Lines> | SourceNotice;

export type SourceLines<Lines> = Lines & {
  readonly type: 'lines';
  /** Means everything up to and including these lines. Opaque, less than 180 characters. */
  readonly position: string;
  /** How many lines were longer than 256 KiB and cut, since the update before. */
  readonly cutLines?: number;
};
