import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Store } from '../../../src/store/store.ts';
import type { Seen } from './continuity-reader.ts';

const program = fileURLToPath(new URL('continuity-reader.ts', import.meta.url));
const rounds = 200;
/** Rotated files that are kept. */
const kept = 60;
/** So many rounds, each with one rotation at most, nothing was stored: no more are made until the reader has caught up. */
const mostBehind = 20;

let folder: string;
let log: NumberedLog;
let reader: Reader;

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'continuity-'));
  fs.mkdirSync(join(folder, 'log'));
  log = new NumberedLog(join(folder, 'log', 'app.log'));
  reader = new Reader(log.path, join(folder, 'state'));
});

afterEach(async () => {
  await reader.kill();
  fs.rmSync(folder, { recursive: true, force: true });
});

/** The same numbers for the same seed, 0 ≤ n < 1. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
}

/** A log whose writer numbers its lines, and what is done to it. */
class NumberedLog {
  readonly path: string;
  /** The highest number that was written. */
  written = 0;
  /** Numbers that were removed though they may not have been read. */
  readonly destroyed = new Set<number>();
  #fd: number;
  /** The lowest number that stands in the file, and in no copy. */
  #first = 1;

  constructor(path: string) {
    this.path = path;
    this.#fd = fs.openSync(path, 'a');
  }

  /** Writes so many lines. @param cut where the text is cut in two writes, 0 ≤ cut ≤ 1 */
  write(count: number, cut: number, length: number): void {
    let text = '';
    for (let i = 0; i < count; i++) text += `n${++this.written} ${'.'.repeat(length)};\n`;
    const at = Math.floor(text.length * cut);
    fs.writeSync(this.#fd, text.slice(0, at));
    fs.writeSync(this.#fd, text.slice(at));
  }

  rename(): void {
    this.#shift();
    fs.renameSync(this.path, `${this.path}.1`);
  }

  /** Opens the log again, as a writer does some time after a rotation. */
  reopen(): void {
    fs.closeSync(this.#fd);
    this.#fd = fs.openSync(this.path, 'a');
    this.#first = this.written + 1;
  }

  copy(): void {
    this.#shift();
    fs.copyFileSync(this.path, `${this.path}.1`);
    this.#first = this.written + 1;
  }

  /** @param stored the highest number that the reader has surely stored */
  truncate(stored: number): void {
    this.#destroy(stored);
    fs.ftruncateSync(this.#fd);
  }

  /** @param stored as of `truncate` */
  remove(stored: number): void {
    this.#destroy(stored);
    fs.rmSync(this.path);
    this.reopen();
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  #destroy(stored: number): void {
    for (let n = Math.max(this.#first, stored + 1); n <= this.written; n++) this.destroyed.add(n);
    this.#first = this.written + 1;
  }

  #shift(): void {
    for (let n = kept; n >= 1; n--) {
      if (fs.existsSync(`${this.path}.${n}`)) fs.renameSync(`${this.path}.${n}`, `${this.path}.${n + 1}`);
    }
  }
}

/** The process that reads. */
class Reader {
  /** Up to which number everything that was read is surely stored. */
  stored = 0;
  kills = 0;
  /** Something was stored since it was started. */
  hasProgressed = false;
  readonly #args: readonly string[];
  readonly #stateDir: string;
  #child: ChildProcess | undefined;

  constructor(path: string, stateDir: string) {
    this.#stateDir = stateDir;
    this.#args = [program, path, stateDir];
  }

  start(): void {
    const child = spawn(process.execPath, this.#args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#child = child;
    this.hasProgressed = false;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      for (const [, number] of text.matchAll(/stored (\d+)/g)) {
        this.stored = Math.max(this.stored, Number(number));
        this.hasProgressed = true;
      }
    });
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child) return;
    const gone = new Promise((resolve) => {
      child.once('close', resolve);
    });
    child.kill(signal);
    await gone;
    this.kills += 1;
  }

  /** What it has stored at last. */
  seen(): Seen {
    const store = new Store({
      stateDir: this.#stateDir,
      purgeAge: 86_400,
      active: () => [],
      report: () => undefined,
      clock: Date.now,
    });
    const text = store.positions.get('seen');
    store.close();
    return JSON.parse(text ?? '') as Seen;
  }
}

/** Lets things happen at random, until the reader has come to the end. */
async function run(random: () => number, act: (kind: number) => Promise<void> | void): Promise<Seen> {
  reader.start();
  log.write(1, 1, 0);
  await vi.waitFor(() => expect(reader.stored).toBe(1), { timeout: 60_000, interval: 20 });
  let progressed = 0;
  let stored = 0;
  for (let round = 0; round < rounds; round++) {
    if (reader.stored > stored || reader.stored === log.written) progressed = round;
    stored = reader.stored;
    // On a busy machine it takes seconds to start again.
    if (round - progressed >= mostBehind) {
      // What was written last may be destroyed already.
      log.write(1, 1, 0);
      await vi.waitFor(() => expect(reader.stored).toBe(log.written), { timeout: 60_000, interval: 20 });
    }
    for (let bursts = Math.floor(random() * 4); bursts > 0; bursts--) {
      log.write(Math.floor(random() * 40), random(), Math.floor(random() * 200));
      if (random() < 0.5) await sleep(random() * 12);
    }
    await sleep(random() * 60);
    await act(random());
    // One that is killed before it has done anything, time and again, would fall behind what rotation keeps.
    if (random() < 0.1 && reader.hasProgressed) {
      await reader.kill();
      reader.start();
    }
  }
  log.write(1, 1, 0);
  log.close();
  await vi.waitFor(() => expect(reader.stored).toBe(log.written), { timeout: 60_000, interval: 20 });
  await reader.kill('SIGTERM');
  return reader.seen();
}

function missing({ ranges }: Seen): number[] {
  const all = new Set(Array.from({ length: log.written }, (_, i) => i + 1));
  for (const [from, to] of ranges) for (let n = from; n <= to; n++) all.delete(n);
  return [...all];
}

describe('numbered lines, while the log is rotated and the reader killed at random,', () => {
  it('are seen exactly once, and in order, where rotation keeps them', { timeout: 300_000 }, async () => {
    const random = sequence(5);
    const seen = await run(random, async (kind) => {
      if (kind < 0.3) {
        log.rename();
        // Its writer doesn't know yet.
        log.write(Math.floor(random() * 10), random(), 50);
        if (random() < 0.3) await sleep(random() * 20);
        log.reopen();
      } else if (kind < 0.5) {
        log.copy();
        log.truncate(reader.stored);
      }
    });
    expect(log.destroyed.size).toBe(0);
    expect(reader.kills).toBeGreaterThan(5);
    expect(seen).toEqual({ ranges: [[1, log.written]], repeated: [], gaps: 0, odd: [] });
  });

  it(
    'are seen exactly once but for those that were destroyed, which is said',
    { timeout: 300_000 },
    async () => {
      const random = sequence(55);
      const seen = await run(random, (kind) => {
        if (kind < 0.15) {
          log.rename();
          log.reopen();
        } else if (kind < 0.3) {
          log.copy();
          // Between copy and truncation.
          log.write(Math.floor(random() * 5), 1, 50);
          log.truncate(reader.stored);
        } else if (kind < 0.4) log.truncate(reader.stored);
        else if (kind < 0.5) log.remove(reader.stored);
      });
      const lost = missing(seen);
      expect(seen.repeated).toEqual([]);
      expect(lost.filter((number) => !log.destroyed.has(number))).toEqual([]);
      expect(seen.gaps).toBeGreaterThan(0);
      // Most of what could have been lost was read in time.
      expect(lost.length).toBeLessThan(log.destroyed.size);
    },
  );
});
