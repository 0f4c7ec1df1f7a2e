import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventLog } from '../../../src/daemon/events/event-log.ts';
import { FollowedPattern } from '../../../src/daemon/reading/followed-pattern.ts';

let folder: string;
let positions: Map<string, string>;
let lines: string[];
let undatedAt: (number | undefined)[];
let events: { event: string; source: string }[];

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'positions-'));
  positions = new Map();
  lines = [];
  undatedAt = [];
  events = [];
});

afterEach(() => fs.rmSync(folder, { recursive: true }));

/** One run: follows the pattern while `act` does. */
async function run(pattern: string, act: (followed: FollowedPattern) => Promise<void>): Promise<void> {
  const followed = new FollowedPattern(
    { pattern: join(folder, pattern), id: pattern, from: 'end', polling: false },
    {
      take: (bytes, _cuts, _live, _path, by) => {
        undatedAt.push(by);
        return lines.push(...bytes.toString().split('\n').slice(0, -1));
      },
      events: eventLog(
        pino({ level: 'info' }, { write: (line: string) => void events.push(JSON.parse(line)) }),
      ),
      positions: { get: (key) => positions.get(key), set: (key, text) => void positions.set(key, text) },
    },
  );
  await vi.waitFor(() => expect(followed.files.length).toBeGreaterThan(0));
  await sleep(60);
  await act(followed);
  await followed.close();
}

function append(name: string, ...texts: readonly string[]): void {
  fs.appendFileSync(join(folder, name), texts.map((text) => `${text}\n`).join(''));
}

async function comes(...expected: readonly string[]): Promise<void> {
  await vi.waitFor(() => expect(lines.toSorted()).toEqual(expected.toSorted()), {
    timeout: 4000,
    interval: 10,
  });
}

describe('a followed pattern', () => {
  it('takes up in each file where an earlier run ended, and begins at the end of others', async () => {
    append('a.log', 'old a');
    append('b.log', 'old b');
    await run('*.log', async () => {
      append('a.log', 'a 1');
      await comes('a 1');
    });
    append('a.log', 'a 2');
    append('b.log', 'b 1');
    append('c.log', 'old c');
    await run('*.log', async () => {
      append('c.log', 'c 1');
      // Of b, the earlier run had seen no line, but where it began.
      await comes('a 1', 'a 2', 'b 1', 'c 1');
      await sleep(50);
    });
    expect(lines.toSorted()).toEqual(['a 1', 'a 2', 'b 1', 'c 1']);
  });

  it('reads no line twice when rotated and packed logs match it, too', async () => {
    append('a.log', 'old');
    await run('*', async (followed) => {
      append('a.log', '1');
      await comes('1');
      fs.renameSync(join(folder, 'a.log'), join(folder, 'a.log.1'));
      append('a.log.1', '2');
      await comes('1', '2');
      // Longer than between two looks for new files.
      await sleep(2500);
      expect(followed.files).toEqual([join(folder, 'a.log')]);
      append('a.log', '3');
      fs.copyFileSync(join(folder, 'a.log'), join(folder, 'a.log-20261122'));
      fs.writeFileSync(join(folder, 'a.log.2.gz'), 'x\n');
      await comes('1', '2', '3');
      await sleep(2500);
    });
    expect(lines).toEqual(['1', '2', '3']);
  }, 15_000);

  it('says once that a file is packed, that lines were cut, and that a position is of no use', async () => {
    fs.writeFileSync(join(folder, 'packed.log'), Buffer.from([0x1f, 0x8b, 0x08, 0, 0, 0]));
    append('a.log', 'old');
    await run('*.log', async (followed) => {
      append('a.log', 'x'.repeat(300_000), 'y'.repeat(300_000));
      await comes('x'.repeat(262_144), 'y'.repeat(262_144));
      expect(followed.counts.get(join(folder, 'a.log'))).toMatchObject({ cut: 2, gaps: 0 });
    });
    expect(events.map(({ event, source }) => [event, source.slice(folder.length)])).toEqual([
      ['source-lost', '/packed.log'],
      ['lines-cut', '/a.log'],
    ]);
    for (const key of positions.keys()) positions.set(key, 'what an unknown version wrote');
    events = [];
    await run('a.log', async () => undefined);
    expect(events).toEqual([]);
    await run('*.log', async () => undefined);
    expect(events.map(({ event }) => event).toSorted()).toEqual(['position-invalid', 'source-lost']);
  });

  it('says of what was logged between two runs when the file was written last, for lines without a date', async () => {
    append('a.log', 'old');
    await run('a.log', async () => {
      append('a.log', '1');
      await comes('1');
    });
    append('a.log', '2');
    const written = new Date(Date.now() - 60_000);
    fs.utimesSync(join(folder, 'a.log'), written, written);
    await run('a.log', async () => {
      await comes('1', '2');
      append('a.log', '3');
      await comes('1', '2', '3');
    });
    expect(undatedAt).toEqual([undefined, written.getTime(), undefined]);
  });

  it('counts that lines may be missing', async () => {
    append('a.log', 'old');
    await run('a.log', async (followed) => {
      append('a.log', '1');
      await comes('1');
      fs.truncateSync(join(folder, 'a.log'));
      append('a.log', '2');
      await comes('1', '2');
      expect(followed.counts.get(join(folder, 'a.log'))).toMatchObject({ cut: 0, gaps: 1 });
    });
  });
});
