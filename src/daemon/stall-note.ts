import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the watchdog notes what it ended the process for. */
export function stallNote(stateDir: string): string {
  return join(stateDir, 'stall.json');
}

/** Writes a file of the state directory, whole or not at all. */
export function writeNote(path: string, value: unknown): void {
  const draft = `${path}.new`;
  rmSync(draft, { recursive: true, force: true });
  writeFileSync(draft, JSON.stringify(value), { mode: 0o600, flag: 'wx' });
  renameSync(draft, path);
}
