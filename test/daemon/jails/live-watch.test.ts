import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchConfig } from '../../../src/daemon/jails/config-watch.ts';

let folder: string;
let configDir: string;
let calls: number;
let end: AbortController;
let done: Promise<void>;

function start(): void {
  done = watchConfig(configDir, end.signal, async () => {
    calls += 1;
  });
}

/** Writes until the watch tells: it takes a moment until a watch stands. */
async function expectTold(write: (round: number) => void): Promise<void> {
  const before = calls;
  let round = 0;
  await vi.waitFor(
    () => {
      if (round % 10 === 0) write(round);
      round += 1;
      expect(calls).toBeGreaterThan(before);
    },
    { timeout: 15_000, interval: 100 },
  );
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dock2ban-watch-'));
  configDir = join(folder, 'fail2ban');
  calls = 0;
  end = new AbortController();
});

afterEach(async () => {
  end.abort();
  await done;
  rmSync(folder, { recursive: true });
});

describe('watchConfig', () => {
  it('tells of changes, new files and what an editor puts in place of a file', async () => {
    mkdirSync(join(configDir, 'filter.d'), { recursive: true });
    writeFileSync(join(configDir, 'jail.local'), '');
    start();
    await expectTold((round) => writeFileSync(join(configDir, 'jail.local'), `# ${round}\n`));
    await expectTold((round) => writeFileSync(join(configDir, `filter.d/own-${round}.conf`), ''));
    await expectTold((round) => {
      writeFileSync(join(configDir, 'jail.new'), `# new ${round}\n`);
      renameSync(join(configDir, 'jail.new'), join(configDir, 'jail.local'));
    });
  }, 60_000);

  it('tells of a directory that comes later', async () => {
    start();
    await expectTold((round) => {
      mkdirSync(join(configDir, 'jail.d'), { recursive: true });
      writeFileSync(join(configDir, 'jail.d/own.conf'), `# ${round}\n`);
    });
    await expectTold((round) => writeFileSync(join(configDir, 'jail.local'), `# ${round}\n`));
  }, 60_000);

  it('makes one call of many changes, and none of what is no configuration', async () => {
    mkdirSync(join(configDir, 'action.d'), { recursive: true });
    start();
    await expectTold((round) => writeFileSync(join(configDir, 'jail.local'), `# ${round}\n`));
    await delay(1000);
    const before = calls;
    writeFileSync(join(configDir, 'action.d/own.conf'), '');
    writeFileSync(join(configDir, '.jail.local.swp'), '');
    writeFileSync(join(configDir, '4913'), '');
    await delay(1000);
    expect(calls).toBe(before);
    for (let round = 0; round < 20; round++) {
      writeFileSync(join(configDir, 'jail.local'), `# many ${round}\n`);
      await delay(20);
    }
    await vi.waitFor(() => expect(calls).toBe(before + 1), { timeout: 10_000 });
  }, 60_000);

  it('ends at once', async () => {
    start();
    end.abort();
    await done;
    expect(calls).toBe(0);
  });
});
