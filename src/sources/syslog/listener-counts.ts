/** What one listener of the syslog receiver has seen since the start. */
export interface ListenerCounts {
  /** As the operator wrote it. */
  readonly address: string;
  /** Open now; datagrams have none. */
  readonly connections: number;
  readonly messages: number;
  /** Messages without a header that can be read. */
  readonly unreadable: number;
  /** Messages longer than 64 KiB. */
  readonly cut: number;
  /** Connections and datagrams of senders that aren't allowed. */
  readonly refused: number;
  /** Connections that ended because the lengths of their messages didn't fit, or there were too many. */
  readonly broken: number;
  /** Datagrams lost: because lines waited to be matched, or (`kernelDropped`) because the kernel's buffer was full. */
  readonly dropped: number;
  /** Undefined where the kernel doesn't tell. */
  readonly kernelDropped: number | undefined;
}

/** The counts of a listener, as they grow. */
export type Counts = {
  -readonly [Name in Exclude<keyof ListenerCounts, 'address' | 'kernelDropped'>]: number;
};

/** Nothing seen yet. */
export function noCounts(): Counts {
  return { connections: 0, messages: 0, unreadable: 0, cut: 0, refused: 0, broken: 0, dropped: 0 };
}
