/**
 * An error whose reader can act on it: a stable `code` for programs, a message for people, and `fix`, what to do.
 * The original error, where there is one, is kept as `cause`.
 */
export class Dock2banError extends Error {
  readonly code: string;
  readonly fix: string | undefined;

  constructor(code: string, message: string, options: { fix?: string | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Dock2banError';
    this.code = code;
    this.fix = options.fix;
  }
}

/** What was thrown, where it is such an error; else one with that code. */
export function asDock2banError(thrown: unknown, code: string): Dock2banError {
  return thrown instanceof Dock2banError
    ? thrown
    : new Dock2banError(code, messageOf(thrown), { cause: thrown });
}

/** The text of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  if (!('code' in thrown && thrown.code === 'ERR_ACCESS_DENIED' && 'resource' in thrown))
    return thrown.message;
  // Node's own text names a flag of Node's, which is ours to set.
  const isWrite = 'permission' in thrown && thrown.permission === 'FileSystemWrite';
  return isWrite
    ? `dock2ban may not write ${String(thrown.resource)} (it writes to --state-dir and the folders of its sockets)`
    : `dock2ban may not read ${String(thrown.resource)} (mount it into the container, and restart dock2ban)`;
}
