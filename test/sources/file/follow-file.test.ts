import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { tailFile } from '../../../src/sources/file/follow-file.ts';
import { patience, TailReader } from './tail-reader.ts';

vi.setConfig({ testTimeout: 60_000 });

let folder: string;
let path: string;
let reader: TailReader;

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'tail-'));
  path = join(folder, 'syslog');
});

afterEach(async () => {
  await reader?.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

/** Starts a tail and waits until it follows the file. */
async function follow(from: 'start' | 'end' = 'end'): Promise<TailReader> {
  reader = new TailReader(path, from);
  await reader.begun;
  return reader;
}

async function expectLines(...lines: readonly string[]): Promise<void> {
  await vi.waitFor(() => expect(reader.lines).toEqual(lines), patience);
}

async function expectStates(...states: readonly object[]): Promise<void> {
  await vi.waitFor(() => expect(reader.states).toMatchObject(states), patience);
}

function append(text: string | Buffer): void {
  fs.appendFileSync(path, text);
}

describe('a tail', () => {
  it('begins at the end, or at the start', async () => {
    append('old\n');
    await follow();
    append('new\n');
    await expectLines('new');
    await reader.stop();
    await follow('start');
    await expectLines('old', 'new');
    expect(reader.states).toEqual([]);
  });

  it('skips the rest of a line that had begun before', async () => {
    append('old\nhalf of a ');
    await follow();
    append('line\nnew\n');
    await expectLines('new');
  });

  it('yields a line when it is whole, in one piece', async () => {
    append('');
    await follow();
    for (const piece of ['on', 'e', '\ntw', 'o', '\n']) {
      append(piece);
      await sleep(20);
    }
    await expectLines('one', 'two');
  });

  it('waits for a file that is not there yet, and reads it from its start', async () => {
    await follow();
    await expectStates({
      type: 'lost',
      error: { code: 'source-unreadable', fix: expect.stringContaining('/var/log') },
    });
    append('first\n');
    await expectLines('first');
    append('second\n');
    await expectLines('first', 'second');
    expect(reader.states.map(({ type }) => type)).toEqual(['lost', 'resumed']);
  });

  it('waits for a folder that is not there yet', async () => {
    fs.rmdirSync(folder);
    await follow();
    fs.mkdirSync(folder);
    append('first\n');
    await expectLines('first');
  });

  it('tells once that the file stays away, and once that it is back', async () => {
    append('0\n');
    await follow();
    fs.rmSync(path);
    await expectStates({ type: 'lost' });
    append('1\n');
    await expectLines('1');
    expect(reader.states.map(({ type }) => type)).toEqual(['lost', 'resumed']);
  });

  it('tells what is at the path if it is no file', async () => {
    fs.mkdirSync(path);
    await follow();
    await expectStates({ error: { message: expect.stringContaining('not a regular file') } });
  });

  it('tells who may read it if it may not', async () => {
    append('0\n');
    fs.chmodSync(path, 0);
    await asNobody(async () => {
      await follow();
      await expectStates({ type: 'lost', error: { fix: expect.stringContaining('group_add') } });
      await reader.stop();
    });
  });

  it('cuts lines over 256 KiB, and replaces what is no UTF-8', async () => {
    append('');
    await follow();
    append(`${'a'.repeat(262_144)}\n${'b'.repeat(300_000)}B\n`);
    append(Buffer.from([0x63, 0xff, 0x0a]));
    await expectLines('a'.repeat(262_144), `${'b'.repeat(262_143)}B`, 'c\ufffd');
  });

  it('passes over 100 MB of NULs, and a line of 100 MB, in bounded memory', async () => {
    append('0\n');
    await follow();
    fs.truncateSync(path, 100e6);
    append('after the hole\n');
    await expectLines('after the hole');
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 100; i++) append('x'.repeat(1e6));
    append('\nlast\n');
    await expectLines('after the hole', 'x'.repeat(262_144), 'last');
    expect(process.memoryUsage().rss - before).toBeLessThan(50e6);
  });

  it('delivers within milliseconds', async () => {
    append('');
    await follow();
    const delays: number[] = [];
    for (let i = 0; i < 30; i++) {
      await sleep(10);
      const begun = performance.now();
      append(`${i}\n`);
      while (reader.lines.length <= i) await sleep(0);
      delays.push(performance.now() - begun);
    }
    // Not each, on a busy machine; but a look at intervals would be late each time.
    expect(Math.min(...delays)).toBeLessThan(10);
  });

  it('reads no more than the consumer asks for', async () => {
    append('x'.repeat(99).concat('\n').repeat(100_000));
    const end = new AbortController();
    const updates = tailFile(path, { signal: end.signal, from: 'start' });
    const before = process.memoryUsage().rss;
    let bytes = 0;
    for (let i = 0; i < 3; i++) {
      const { value } = await updates.next();
      if (value?.type === 'lines') bytes += value.bytes.length;
    }
    await sleep(100);
    expect(bytes).toBeLessThan(1_000_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(50e6);
    end.abort();
    await updates.return();
  });

  it('leaves no file open', async () => {
    append('0\n');
    const open = (): string[] =>
      fs.readdirSync('/proc/self/fd').flatMap((fd) => {
        try {
          return [fs.readlinkSync(`/proc/self/fd/${fd}`)];
        } catch {
          return [];
        }
      });
    const before = open().length;
    await follow();
    fs.renameSync(path, `${path}.1`);
    append('1\n');
    await expectLines('1');
    expect(open().filter((target) => target.startsWith(folder))).toEqual([path]);
    await reader.stop();
    expect(open().filter((target) => target.startsWith(folder))).toEqual([]);
    // libuv keeps its one inotify instance.
    expect(open().length).toBeLessThanOrEqual(before + 1);
  });
});

/** Root may read everything, so it becomes nobody for a while. */
async function asNobody(run: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) return run();
  fs.chmodSync(folder, 0o755);
  process.seteuid!(65_534);
  try {
    return await run();
  } finally {
    process.seteuid!(0);
  }
}
