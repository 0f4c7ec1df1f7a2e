import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';

/** systemd's tool that makes journal files of text, where Debian installs it. */
export const journalRemote = '/lib/systemd/systemd-journal-remote';

/** An entry's fields; `at` in epoch milliseconds. */
export interface WrittenEntry {
  readonly at: number;
  /** Which start of the machine it was; default 1. */
  readonly boot?: number;
  readonly fields: Readonly<Record<string, string | Buffer>>;
}

/** A journal of its own, that grows as a host's does. */
export class JournalFile {
  /** For `journalctl --directory`. */
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  async write(...entries: readonly WrittenEntry[]): Promise<void> {
    const input = Buffer.concat(entries.map(exported));
    await execa(journalRemote, ['--output', join(this.folder, 'system.journal'), '-'], { input });
  }
}

/** The journal export format: `FIELD=value`, or for any bytes the field, their count in 8 bytes, and they. */
function exported({ at, boot = 1, fields }: WrittenEntry): Buffer {
  const all: Readonly<Record<string, string | Buffer>> = {
    __REALTIME_TIMESTAMP: String(at * 1000),
    __MONOTONIC_TIMESTAMP: String(at % 1_000_000_000),
    _BOOT_ID: String(boot).repeat(32).slice(0, 32),
    _UID: '0',
    ...fields,
  };
  const lines = Object.entries(all).map(([name, value]) => {
    if (name.startsWith('__')) return Buffer.from(`${name}=${String(value)}\n`);
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(bytes.length));
    return Buffer.concat([Buffer.from(`${name}\n`), length, bytes, Buffer.from('\n')]);
  });
  return Buffer.concat([...lines, Buffer.from('\n')]);
}
