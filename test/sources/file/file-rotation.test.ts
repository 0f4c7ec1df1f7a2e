import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
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

function append(text: string | Buffer): void {
  fs.appendFileSync(path, text);
}

describe('a tail', () => {
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
