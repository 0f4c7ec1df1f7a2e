/** One line of a log, on its way to the filters. */
export interface LogLine {
  /** Without its line terminator. */
  readonly text: string;
  /** Epoch milliseconds, where the source knows it (a syslog header, Docker's frame); undefined: the filter must find it in `text`. */
  readonly time: number | undefined;
  /** Whether the timestamp behind `time` was cut out of `text`, as fail2ban does, so that the filter looks for no other date. */
  readonly dateRemoved: boolean;
}
