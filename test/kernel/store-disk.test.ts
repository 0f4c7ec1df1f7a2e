import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';

const script = fileURLToPath(new URL('store-disk.ts', import.meta.url));

/** Runs a part of `store-disk.ts` in a mount namespace of its own, where its mounts end with it. */
function play(part: string): unknown {
  const dir = mkdtempSync(join(tmpdir(), 'dock2ban-disk-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const output = execFileSync(
    'unshare',
    ['-m', '--propagation', 'private', process.execPath, script, part, dir],
    {
      encoding: 'utf8',
    },
  );
  return JSON.parse(output);
}

it('goes on while the disk is full, and stores the latest state of everything when there is room again', () => {
  expect(play('full')).toEqual({
    events: ['failed store-full', 'resumed'],
    whileFull: { stored: false, bans: 4001, count: 1 },
    after: { stored: true, waiting: 0 },
    restored: 4001,
    positions: 'end',
    integrity: 'ok',
  });
});

it('starts on a full disk, too', () => {
  expect(play('full-at-start')).toEqual({
    events: ['failed store-full', 'resumed'],
    waiting: 1,
    restored: ['203.0.113.9'],
  });
});

it.each(['read-only-closed', 'read-only-crashed'])(
  'restores bans from a read-only state directory (%s)',
  (part) => {
    expect(play(part)).toEqual({
      events: ['failed store-read-only', 'resumed'],
      restored: ['203.0.113.1', '203.0.113.2'],
      count: 2,
      whileReadOnly: ['203.0.113.2', '203.0.113.3'],
      stored: true,
      afterwards: ['203.0.113.2', '203.0.113.3'],
    });
  },
);
