import { Dock2banError } from '../errors.ts';

/** Exit codes of every command. */
export const exitCode = {
  done: 0,
  /** The answer is no: not banned, no such jail, errors found. */
  no: 1,
  wrongUsage: 2,
  /** The controller can't be reached (EX_UNAVAILABLE of sysexits.h). */
  unavailable: 69,
} as const;

/** Prints an error for a person, with its fix, and returns the exit code that it means. */
export function reportError(error: unknown, stderr: (text: string) => void): number {
  if (!(error instanceof Dock2banError)) {
    stderr(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return exitCode.no;
  }
  stderr(`${error.message}\n`);
  if (error.fix !== undefined) stderr(`  ${error.fix}\n`);
  switch (error.code) {
    case 'unreachable':
    case 'cut-off':
      return exitCode.unavailable;
    case 'usage':
    case 'invalid-request':
      return exitCode.wrongUsage;
    default:
      return exitCode.no;
  }
}
