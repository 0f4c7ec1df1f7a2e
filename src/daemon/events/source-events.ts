import type { GapReason } from '../../sources/source-update.ts';
import { localTime } from '../../text/local-time.ts';
import { hint, info, warn } from './entry.ts';

/** When lines were logged, epoch milliseconds. */
export interface GapSpan {
  readonly from?: number | undefined;
  readonly to?: number;
}

/** Events of the logs that are read. */
export const sourceEvents = {
  sourceLost: (source: string, error: string, fix: string | undefined) =>
    warn('source-lost', { source, error, fix }, `Cannot read ${source}: ${error}${hint(fix)}`),

  sourceResumed: (source: string) => info('source-resumed', { source }, `Reading ${source}`),

  tooManyFiles: (source: string, files: number, entries: number) => {
    const fix = 'name fewer files, or fewer folders';
    return warn(
      'source-cut',
      { source, files, fix },
      `${source} matches too many files: up to ${files} are read, of the first ${entries} that are there${hint(fix)}`,
    );
  },

  /** Docker's log API is read instead, until the source resumes. */
  sourceFallback: (source: string, containers: readonly string[]) =>
    warn(
      'source-fallback',
      { source, containers },
      `Cannot read ${source}: reading ${containers.join(', ')} from Docker's log API instead`,
    ),

  /** A container's lines may be pieces from now on, where they came from until now. */
  readFromCopy: (container: string) =>
    warn(
      'source-fallback',
      { source: 'syslog', containers: [container] },
      `${container} logs lines so long that syslog may split them: reading it from Docker's log API instead, until it is re-created`,
    ),

  /** As `readFromCopy`, of a container whose log Docker keeps no copy of. */
  linesInPieces: (container: string) => {
    const fix =
      'let Docker keep a copy of its log (Docker 20.10 or later, without the log option cache-disabled), or give it the log driver json-file, local or journald';
    return warn(
      'lines-in-pieces',
      { container, fix },
      `${container} logs lines so long that syslog may split them: such a line is ignored, and so is what may be the rest of it${hint(fix)}`,
    );
  },

  /**
   * Lines were removed before they could be read, or may have been.
   * @param total since the start
   */
  gap: (source: string, reason: GapReason, total: number, { from, to }: GapSpan = {}) => {
    const [since, until] = [from, to].map((time) => (time === undefined ? undefined : new Date(time)));
    const when = `${since ? ` from ${localTime(since)}` : ''}${until ? ` until ${localTime(until)}` : ''}`;
    return warn(
      'gap',
      { source, reason, total, from: since?.toISOString(), until: until?.toISOString() },
      `Lines of ${source}${when} may be missing: ${gapTexts[reason]}`,
    );
  },

  /** Somebody sends log lines who isn't allowed to. */
  senderRefused: (source: string, sender: string) =>
    warn(
      'sender-refused',
      { source, sender },
      `${source} accepts no lines from ${sender} (allow it: --syslog-allow ${sender})`,
    ),

  /** The syslog receiver closed a connection that one of its limits forbids. */
  connectionClosed: (source: string, sender = 'this host', reason: string) =>
    warn(
      'connection-closed',
      { source, sender, reason },
      `${source} closed a connection from ${sender}: ${reason} (see what connects there; reported once in ten minutes)`,
    ),

  /** @param count lines lost since the last time  @param total since the start */
  linesDropped: (source: string, count: number, total: number) =>
    warn(
      'lines-dropped',
      { source, count, total },
      `${count} messages to ${source} were lost: they came faster than they could be read ` +
        '(let the container log over tcp:// or unix://, which wait)',
    ),

  /** @param total since the start */
  linesCut: (source: string, total: number) =>
    warn(
      'lines-cut',
      { source, total },
      `${total} lines of ${source} were longer than 256 KiB: only their beginning and end are searched`,
    ),

  /** What was stored of how far a log was read is of no use. */
  positionInvalid: (source: string, position: string) =>
    warn(
      'position-invalid',
      { source, position: position.slice(0, 200) },
      `Saved position for ${source} is invalid; rereading the last findtime`,
    ),
};

const gapTexts: Readonly<Record<GapReason, string>> = {
  truncated:
    'the file was truncated, and there is no copy of its last lines (let logrotate rename: create instead of copytruncate)',
  gone: 'the file that was read before has been removed, compressed or rewritten (let logrotate keep the last one uncompressed: delaycompress)',
  rotated:
    'Docker has rotated away the place where reading stopped (raise the log options max-size and max-file)',
  vacuumed:
    'the entry where reading stopped is gone from the journal (raise SystemMaxUse and MaxRetentionSec in journald.conf)',
};
