import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunOptions } from './options.ts';

/**
 * V8 keeps its young generation small, and, as the heap may not grow without end, collects garbage earlier: after a flood 200 MB are
 * resident instead of 320. `--optimize-for-size` would save 10 MB more and cost 40 % of the matching's speed.
 */
const flags = ['--max-semi-space-size=1', '--max-old-space-size=1024'];

/**
 * Replaces this process by the daemon (same pid): without the parser of the command line and with flags of its own, which
 * Node takes only at its start. Measured in the lab: 12 MB less resident memory.
 */
export function launch(options: RunOptions, version: string): void {
  const program = fileURLToPath(new URL(`process${extname(import.meta.url)}`, import.meta.url));
  const argv = [process.execPath, ...flags, program, version, JSON.stringify(options)];
  // One arena of malloc for all threads.
  process.execve!(process.execPath, argv, { ...process.env, MALLOC_ARENA_MAX: '1' });
}
