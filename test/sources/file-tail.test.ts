import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { tailFile, type TailOptions } from '../../src/sources/file-tail.ts';
import type { TailUpdate } from '../../src/sources/tail-update.ts';

/** An event may get lost on a busy machine: then the file is looked at some seconds later. */
const patience = { timeout: 15_000, interval: 5 };
vi.setConfig({ testTimeout: 60_000 });

let folder: string;
let path: string;
let reader: Reader;

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'tail-'));
  path = join(folder, 'syslog');
});

afterEach(async () => {
  await reader?.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

/** Collects everything a tail yields. */
class Reader {
  readonly lines: string[] = [];
  readonly states: Exclude<TailUpdate, { type: 'lines' | 'begun' }>[] = [];
  readonly #end = new AbortController();
  readonly #begun = Promise.withResolvers<void>();
  readonly #done: Promise<void>;

  constructor(from: TailOptions['from'] = 'end') {
    this.#done = this.#collect(from);
  }

  /** Resolves when nothing is missed any more that is written from then on. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#done;
  }

  async #collect(from: TailOptions['from']): Promise<void> {
    const options = { signal: this.#end.signal, from, onBegin: this.#begun.resolve };
    for await (const update of tailFile(path, options)) {
      if (update.type === 'lines') this.lines.push(...update.bytes.toString().split('\n').slice(0, -1));
      else if (update.type !== 'begun') this.states.push(update);
    }
  }
}

/** Starts a tail and waits until it follows the file. */
async function follow(from: TailOptions['from'] = 'end'): Promise<Reader> {
  reader = new Reader(from);
  await reader.begun;
  return reader;
}

async function expectLines(...lines: string[]): Promise<void> {
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

  it('goes on through renaming and creation', async () => {
    append('0\n');
    await follow();
    append('1\n');
    fs.renameSync(path, `${path}.1`);
    append('2\n');
    await expectLines('1', '2');
    append('3\n');
    await expectLines('1', '2', '3');
    expect(reader.states).toEqual([]);
  });

  it('reads on what the writer puts into the renamed file before it opens the new one', async () => {
    append('0\n');
    await follow();
    const old = fs.openSync(path, 'a');
    fs.renameSync(path, `${path}.1`);
    fs.writeFileSync(path, '');
    await sleep(300);
    fs.writeSync(old, '1\n');
    await expectLines('1');
    fs.writeSync(old, '2\nlast without newline');
    append('3\n');
    await expectLines('1', '2', 'last without newline', '3');
    fs.closeSync(old);
  });

  it('goes on through copytruncate', async () => {
    append('a first line that is longer\n');
    await follow('start');
    await expectLines('a first line that is longer');
    fs.copyFileSync(path, `${path}.1`);
    fs.truncateSync(path);
    append('2\n');
    await expectLines('a first line that is longer', '2');
    expect(reader.states).toEqual([]);
  });

  it('notices a truncation though the file has outgrown its old size since', async () => {
    append('1\n');
    await follow('start');
    await expectLines('1');
    fs.writeFileSync(path, 'a line that is longer than what was there\n');
    await expectLines('1', 'a line that is longer than what was there');
  });

  it('notices it also where lines end alike', async () => {
    const same = ' GET / HTTP/1.1 "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"';
    append(`1${same}\n`);
    await follow('start');
    await expectLines(`1${same}`);
    fs.writeFileSync(path, `2${same}\n3${same}\n`);
    await expectLines(`1${same}`, `2${same}`, `3${same}`);
  });

  it('passes over the hole that a writer leaves which goes on at its offset', async () => {
    const writer = fs.openSync(path, 'w');
    fs.writeSync(writer, 'first\n');
    await follow('start');
    await expectLines('first');
    fs.ftruncateSync(writer);
    await sleep(50);
    fs.writeSync(writer, 'second\n');
    await expectLines('first', 'second');
    fs.closeSync(writer);
  });

  it('goes on through deletion and re-creation', async () => {
    append('0\n');
    await follow();
    fs.rmSync(path);
    await sleep(100);
    append('1\n');
    await expectLines('1');
    expect(reader.states).toEqual([]);
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

  it('cuts lines over 64 KiB, and replaces what is no UTF-8', async () => {
    append('');
    await follow();
    append(`${'a'.repeat(65_536)}\n${'b'.repeat(200_000)}\n`);
    append(Buffer.from([0x63, 0xff, 0x0a]));
    await expectLines('a'.repeat(65_536), 'b'.repeat(65_536), 'c\ufffd');
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
    await expectLines('after the hole', 'x'.repeat(65_536), 'last');
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

describe('numbered lines', () => {
  const rotations: Record<string, () => void> = {
    'rename and create': () => fs.renameSync(path, `${path}.1`),
    'delete and create': () => fs.rmSync(path),
  };

  it.each(Object.keys(rotations))(
    'come through random writing and %s without loss or repetition',
    async (kind) => {
      let fd = fs.openSync(path, 'a');
      await follow('start');
      const expected: string[] = [];
      for (let rotation = 0; rotation < 6; rotation++) {
        for (let burst = 0; burst < 20; burst++) {
          const text = Array.from({ length: Math.floor(Math.random() * 40) }, () => {
            expected.push(`line ${expected.length} ${'.'.repeat(Math.random() * 300)}`);
            return `${expected.at(-1)}\n`;
          }).join('');
          const cut = Math.floor(Math.random() * text.length);
          fs.writeSync(fd, text.slice(0, cut));
          if (Math.random() < 0.3) await sleep(Math.random() * 8);
          fs.writeSync(fd, text.slice(cut));
          if (Math.random() < 0.3) await sleep(Math.random() * 8);
        }
        rotations[kind]!();
        if (Math.random() < 0.5) fs.writeSync(fd, `${expected[expected.push(`late ${rotation}`) - 1]}\n`);
        await sleep(Math.random() * 20);
        fs.closeSync(fd);
        fd = fs.openSync(path, 'a');
      }
      fs.closeSync(fd);
      await expectLines(...expected);
      expect(reader.states).toEqual([]);
    },
  );

  it('come through copytruncate in order and whole, and at most what was destroyed is missing', async () => {
    const fd = fs.openSync(path, 'a');
    await follow('start');
    const destroyable = new Set<string>();
    const expected: string[] = [];
    for (let rotation = 0; rotation < 6; rotation++) {
      for (let burst = 0; burst < 20; burst++) {
        const lines = Array.from({ length: 1 + Math.floor(Math.random() * 40) }, () => {
          expected.push(`line ${expected.length} ${'.'.repeat(Math.random() * 300)}`);
          return expected.at(-1)!;
        });
        fs.writeSync(fd, `${lines.join('\n')}\n`);
        if (Math.random() < 0.3) await sleep(Math.random() * 8);
      }
      const unread = expected.slice(reader.lines.length);
      for (const line of unread) destroyable.add(line);
      fs.truncateSync(path);
      if (Math.random() < 0.5) await sleep(Math.random() * 20);
    }
    expected.push('end');
    fs.writeSync(fd, 'end\n');
    fs.closeSync(fd);
    await vi.waitFor(() => expect(reader.lines.at(-1)).toBe('end'), patience);
    const seen = new Set(reader.lines);
    expect(seen.size).toBe(reader.lines.length);
    expect(expected.filter((line) => seen.has(line))).toEqual(reader.lines);
    expect(expected.filter((line) => !seen.has(line) && !destroyable.has(line))).toEqual([]);
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
