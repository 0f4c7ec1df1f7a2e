import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunOptions } from './options.ts';

/**
 * V8 keeps its young generation small: the daemon makes little garbage. `--optimize-for-size` would cost 40 % of the matching's
 * speed, and gains nothing on top.
 */
const flags = ['--max-semi-space-size=1'];

/**
 * Replaces this process by the daemon (same pid): without the parser of the command line and with a flag of its own, which
 * Node takes only at its start. Measured in the lab: 12 MB less resident memory.
 */
export function launch(options: RunOptions, version: string): void {
  const program = fileURLToPath(new URL(`process${extname(import.meta.url)}`, import.meta.url));
  const argv = [process.execPath, ...flags, program, version, JSON.stringify(options)];
  // One arena of malloc for all threads.
  process.execve!(process.execPath, argv, { ...process.env, MALLOC_ARENA_MAX: '1' });
}
