import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfFileCache } from '../../../src/config/conf/conf-file-cache.ts';

let dir: string;
let path: string;
const cache = () => new ConfFileCache();

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dock2ban-cache-'));
  path = join(dir, 'jail.local');
});

afterEach(() => {
  rmSync(dir, { recursive: true });
});

const valueIn = async (files: ConfFileCache) => {
  const file = await files.read(path);
  files.sweep();
  return file.sections.get('app')?.get('maxretry')?.value;
};

describe('ConfFileCache', () => {
  it('sees a file that is written again at once, with the same length', async () => {
    const files = cache();
    for (let round = 0; round < 50; round++) {
      writeFileSync(path, `[app]\nmaxretry = ${round % 10}\n`);
      expect(await valueIn(files)).toBe(String(round % 10));
    }
  });

  it('gives what it knows of a file that has long been the same, until it changes', async () => {
    const files = cache();
    writeFileSync(path, '[app]\nmaxretry = 1\n');
    await delay(2100);
    const first = await files.read(path);
    files.sweep();
    expect(await files.read(path)).toBe(first);
    files.sweep();
    const other = join(dir, 'new');
    writeFileSync(other, '[app]\nmaxretry = 2\n');
    renameSync(other, path);
    expect(await valueIn(files)).toBe('2');
  });

  it('forgets what is not read any more', async () => {
    const files = cache();
    writeFileSync(path, '[app]\nmaxretry = 1\n');
    await delay(2100);
    const first = await files.read(path);
    files.sweep();
    files.sweep();
    expect(await files.read(path)).not.toBe(first);
    rmSync(path);
    await expect(files.read(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
