/**
 * An error whose reader can act on it: a stable `code` for programs, a message for people, and `fix`, what to do.
 * The original error, where there is one, is kept as `cause`.
 */
export class Dock2banError extends Error {
  readonly code: string;
  readonly fix: string | undefined;

  constructor(code: string, message: string, options: { fix?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Dock2banError';
    this.code = code;
    this.fix = options.fix;
  }
}

/** The text of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
