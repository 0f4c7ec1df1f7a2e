/** Where a program writes what it logs. */
export type LogStream = 'stdout' | 'stderr';

/** One line of a log, on its way to the filters. */
export interface LogLine {
  /** Without its line terminator. */
  readonly text: string;
  /** Epoch milliseconds, where the source knows it (a syslog header, Docker's frame); undefined: the filter must find it in `text`. */
  readonly time: number | undefined;
  /** Whether the timestamp behind `time` was cut out of `text`, as fail2ban does, so that the filter looks for no other date. */
  readonly dateRemoved: boolean;
  /** The container's stream that it came from, where the source knows it. */
  readonly stream?: LogStream | undefined;
  /** The line was too long: something of it was left out of `text` at this offset. No expression matches over it. */
  readonly cut?: number | undefined;
}

/**
 * The stream by the priority with which Docker's drivers log a line: standard output as informational (6), standard error as an error (3)
 * (moby daemon/logger/syslog, daemon/logger/journald). A facility may stand in front of it, as in a syslog message's `<30>`.
 */
export function streamOfPriority(priority: number): LogStream | undefined {
  const severity = priority & 7;
  return severity === 6 ? 'stdout' : severity === 3 ? 'stderr' : undefined;
}
