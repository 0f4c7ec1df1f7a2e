/** A container's log as the engine sends it, stdout and stderr with timestamps. */
export interface OpenLog {
  /** Throws when the connection is cut; ends when the engine has no more to send. */
  readonly stream: AsyncIterable<Buffer>;
  /** Whether the container has a terminal: its log has no frames then. */
  readonly tty: boolean;
}

export interface OpenLogOptions {
  /** What was logged from then on, `SECONDS.NANOSECONDS`. */
  readonly since: string;
  /** Stay open for what will be logged. */
  readonly follow: boolean;
  /** So many messages of the end only. */
  readonly tail?: number;
  readonly signal: AbortSignal;
}

/**
 * Where logs come from. Rejects with a Dock2banError; `docker-not-found`: there is no such container any more,
 * `docker-log-unsupported`: the engine can't read its log.
 */
export interface ContainerLogs {
  open(containerId: string, options: OpenLogOptions): Promise<OpenLog>;
}
