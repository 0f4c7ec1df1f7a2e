import type { EventLog } from '../events/event-log.ts';
import type { Matching } from '../judging/matching.ts';
import type { Fallbacks } from './fallbacks.ts';
import type { Positions } from './positions.ts';
import type { SyslogPieces } from './syslog-pieces.ts';

/** What those who read logs share. */
export interface ReaderParts {
  readonly matching: Matching;
  readonly events: EventLog;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  readonly positions: Positions;
  /** Is told which logs can't be read, and decides which lines are read from elsewhere. */
  readonly fallbacks: Fallbacks;
  readonly pieces: SyslogPieces;
}
