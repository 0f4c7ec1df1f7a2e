import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { setTimeout as sleep } from 'node:timers/promises';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { formatPosition, parsePosition } from '../../../src/sources/file/file-position.ts';
import { tailFile } from '../../../src/sources/file/follow-file.ts';
import type { TailUpdate } from '../../../src/sources/file/tail-update.ts';

vi.setConfig({ testTimeout: 60_000 });

let folder: string;
let path: string;

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'resume-'));
  path = join(folder, 'app.log');
});

afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

interface Run {
  readonly lines: readonly string[];
  /** Of each line: whether it came as logged after the start. */
  readonly live: readonly boolean[];
  readonly others: readonly Exclude<TailUpdate, { type: 'lines' | 'begun' }>[];
  readonly position: string | undefined;
  readonly cutLines: number;
}

interface Begin {
  readonly after?: string | undefined;
  readonly from?: 'start' | 'end';
  /** Called when it is settled from where the file is read. */
  readonly onBegin?: () => void;
}

/** Reads until so many lines have come, and a moment longer. */
async function read(
  count: number,
  { after, from = 'start', onBegin = () => undefined }: Begin = {},
): Promise<Run> {
  const end = new AbortController();
  const lines: string[] = [];
  const live: boolean[] = [];
  const others: Exclude<TailUpdate, { type: 'lines' | 'begun' }>[] = [];
  let position: string | undefined;
  let cutLines = 0;
  const begun = Promise.withResolvers<void>();
  const begin = (): void => {
    onBegin();
    begun.resolve();
  };
  const done = (async () => {
    const options = { signal: end.signal, from, onBegin: begin, ...(after !== undefined && { after }) };
    for await (const update of tailFile(path, options)) {
      if (update.type === 'lines') {
        const fresh = update.bytes.toString().split('\n').slice(0, -1);
        lines.push(...fresh);
        live.push(...fresh.map(() => update.live));
        position = update.position;
        cutLines += update.cutLines!;
      } else if (update.type === 'begun') {
        position = update.position;
      } else {
        others.push(update);
      }
    }
  })();
  await begun.promise;
  // An event may get lost on a busy machine: then the file is looked at some seconds later.
  const patience = { timeout: 15_000, interval: 5 };
  await vi.waitFor(() => expect(lines.length).toBeGreaterThanOrEqual(count), patience);
  await sleep(80);
  end.abort();
  await done;
  return { lines, live, others, position, cutLines };
}

/** Lines that differ from those of any other test. */
const text = (...numbers: readonly (number | string)[]): string =>
  numbers.map((n) => `line ${n} of a log\n`).join('');
const named = (...numbers: readonly (number | string)[]): string[] =>
  numbers.map((n) => `line ${n} of a log`);

/** What a run up to now has read. */
async function readSoFar(content: string): Promise<string> {
  fs.writeFileSync(path, content);
  const { position } = await read(1);
  return position!;
}

describe('reading that resumes', () => {
  it('goes on behind the last line, and says that it was logged before', async () => {
    const after = await readSoFar(text(1, 2));
    fs.appendFileSync(path, text(3, 4));
    const { lines, live, others } = await read(2, { after, from: 'end' });
    expect(lines).toEqual(named(3, 4));
    expect(live).toEqual([false, false]);
    expect(others).toEqual([]);
  });

  it('goes on from where it had begun though no line had come, wherever rotation took the file', async () => {
    fs.writeFileSync(path, text('old'));
    const { position: after, lines } = await read(0, { from: 'end' });
    expect(lines).toEqual([]);
    fs.appendFileSync(path, text(1));
    fs.renameSync(path, `${path}.1`);
    fs.writeFileSync(path, text(2));
    expect((await read(2, { after, from: 'end' })).lines).toEqual(named(1, 2));
  });

  it('reads the whole line whose first part was there', async () => {
    const after = await readSoFar(`${text(1)}line 2 of`);
    fs.appendFileSync(path, ' a log\n');
    expect((await read(1, { after })).lines).toEqual(named(2));
  });

  it('reads a line anew whose beginning was long already, and counts that it is cut', async () => {
    const after = await readSoFar(`${text(1)}${'x'.repeat(300_000)}`);
    fs.appendFileSync(path, `${'y'.repeat(100_000)}\n${text(2)}`);
    const { lines, cutLines } = await read(2, { after });
    expect(lines).toEqual(['x'.repeat(196_608) + 'y'.repeat(65_536), ...named(2)]);
    expect(cutLines).toBe(1);
  });

  it.each(['app.log.1', 'app-20261122.log', 'moved'])(
    'reads the rest of the file that is now %s, then the new one',
    async (name) => {
      const after = await readSoFar(text(1, 2));
      fs.appendFileSync(path, `${text(3)}line 4 of a log`);
      fs.renameSync(path, join(folder, name));
      fs.writeFileSync(path, text(5));
      const { lines, others } = await read(3, { after, from: 'end' });
      expect(lines).toEqual(named(3, 4, 5));
      expect(others).toEqual([]);
    },
  );

  it('reads what was rotated in between, and nothing that is older', async () => {
    fs.writeFileSync(`${path}.3`, text('old'));
    await sleep(20);
    const after = await readSoFar(text(1));
    fs.appendFileSync(path, text(2));
    fs.renameSync(`${path}.3`, `${path}.5`);
    fs.renameSync(path, `${path}.4`);
    for (const n of [3, 2, 1]) {
      fs.writeFileSync(`${path}.${n}`, text(`in ${n}`));
      await sleep(20);
    }
    fs.writeFileSync(path, text('last'));
    const { lines, others } = await read(5, { after });
    expect(lines).toEqual(named(2, 'in 3', 'in 2', 'in 1', 'last'));
    expect(others).toEqual([]);
  });

  it('reads the rest from the copy that copytruncate made', async () => {
    const after = await readSoFar(text(1, 2));
    fs.appendFileSync(path, text(3));
    fs.copyFileSync(path, `${path}.1`);
    fs.truncateSync(path);
    fs.appendFileSync(path, text(4));
    const { lines, others } = await read(2, { after });
    expect(lines).toEqual(named(3, 4));
    expect(others).toEqual([]);
  });

  it('resumes in the middle of a chain that rotation goes on with', async () => {
    const after = await readSoFar(text(1));
    fs.renameSync(path, `${path}.1`);
    fs.writeFileSync(path, text(2));
    const second = await read(1, { after });
    expect(second.lines).toEqual(named(2));
    fs.renameSync(`${path}.1`, `${path}.2`);
    fs.renameSync(path, `${path}.1`);
    fs.writeFileSync(path, text(3));
    expect((await read(1, { after: second.position })).lines).toEqual(named(3));
  });

  it.each([
    ['deleted', (): void => fs.rmSync(path)],
    ['packed', (): void => packed()],
    ['emptied', (): void => fs.truncateSync(path)],
  ])('says that lines may be missing when the file was %s, and reads the new one whole', async (_, lose) => {
    const after = await readSoFar(text(1, 2));
    fs.appendFileSync(path, text(3));
    lose();
    // Written anew, and longer than it was.
    fs.appendFileSync(path, text('a', 'b', 'c', 'd', 'e'));
    const { lines, others } = await read(5, { after, from: 'end' });
    expect(lines).toEqual(named('a', 'b', 'c', 'd', 'e'));
    expect(others).toEqual([{ type: 'gap', reason: 'gone' }]);
  });

  it('does not take another file with the same number for the one that it was', async () => {
    const after = await readSoFar(text(1, 2));
    const { ino } = fs.statSync(path);
    fs.writeFileSync(path, text('a', 'b', 'c'));
    expect(fs.statSync(path).ino).toBe(ino);
    const { lines, others } = await read(3, { after });
    expect(lines).toEqual(named('a', 'b', 'c'));
    expect(others).toEqual([{ type: 'gap', reason: 'gone' }]);
  });

  it('finds the file again that was put back under another number', async () => {
    const after = await readSoFar(text(1, 2));
    fs.copyFileSync(path, join(folder, 'restored'));
    fs.renameSync(join(folder, 'restored'), path);
    fs.appendFileSync(path, text(3));
    const { lines, others } = await read(1, { after });
    expect(lines).toEqual(named(3));
    expect(others).toEqual([]);
  });

  it('waits for the new file when only the renamed one is there', async () => {
    const after = await readSoFar(text(1));
    fs.appendFileSync(path, text(2));
    fs.renameSync(path, `${path}.1`);
    setTimeout(() => fs.writeFileSync(path, text(3)), 150);
    expect((await read(2, { after })).lines).toEqual(named(2, 3));
  });

  it('begins as at the first start when the position is none', async () => {
    fs.writeFileSync(path, text(1));
    const onBegin = (): void => fs.appendFileSync(path, text(2));
    const { lines, others } = await read(1, { after: 'nonsense', from: 'end', onBegin });
    expect(lines).toEqual(named(2));
    expect(others).toEqual([{ type: 'position-invalid', position: 'nonsense' }]);
  });

  it('reads nothing packed: neither the file itself nor what rotation left', async () => {
    const after = await readSoFar(text(1));
    fs.appendFileSync(path, text(2));
    fs.renameSync(path, `${path}.2`);
    // Packed, by its contents alone.
    fs.writeFileSync(`${path}.1`, gzipSync(text('x')));
    fs.writeFileSync(path, text(3));
    expect((await read(2, { after })).lines).toEqual(named(2, 3));

    fs.writeFileSync(path, gzipSync(text('x')));
    const end = new AbortController();
    for await (const update of tailFile(path, { signal: end.signal, from: 'start' })) {
      expect(update).toMatchObject({
        type: 'lost',
        error: { message: expect.stringContaining('is compressed (gzip)') },
      });
      end.abort();
    }
  });

  function packed(): void {
    fs.writeFileSync(`${path}.1.gz`, gzipSync(fs.readFileSync(path)));
    fs.rmSync(path);
  }
});

describe('a tail that was held up', () => {
  it('reads every file that rotation put between', async () => {
    fs.writeFileSync(path, text(0));
    const end = new AbortController();
    const lines: string[] = [];
    for await (const update of tailFile(path, { signal: end.signal, from: 'start' })) {
      expect(update.type).toBe('lines');
      if (update.type !== 'lines') break;
      lines.push(...update.bytes.toString().split('\n').slice(0, -1));
      if (lines.length === 1) {
        // While it waits for us, the log is rotated three times: by renaming, by copying, by renaming.
        fs.appendFileSync(path, text(1));
        fs.renameSync(path, `${path}.1`);
        await sleep(15);
        fs.writeFileSync(path, text(2));
        fs.renameSync(`${path}.1`, `${path}.2`);
        fs.copyFileSync(path, `${path}.1`);
        fs.truncateSync(path);
        await sleep(15);
        fs.appendFileSync(path, text(3));
        fs.renameSync(`${path}.2`, `${path}.3`);
        fs.renameSync(`${path}.1`, `${path}.2`);
        fs.renameSync(path, `${path}.1`);
        await sleep(15);
        fs.writeFileSync(path, text(4));
      }
      if (lines.length >= 5) end.abort();
    }
    expect(lines).toEqual(named(0, 1, 2, 3, 4));
  });
});

describe('a position', () => {
  it('is what was written', () => {
    const hex = fc.stringMatching(/^[\da-f]{16}$/);
    const positions = fc.record({
      dev: fc.nat(),
      ino: fc.maxSafeNat(),
      offset: fc.integer({ min: 256, max: 999_999_999_999_999 }),
      inLine: fc.boolean(),
      headLength: fc.integer({ min: 0, max: 256 }),
      head: hex,
      before: hex,
      written: fc.integer({ min: 0, max: 4e15 }).map((micros) => micros / 1000),
    });
    fc.assert(
      fc.property(positions, (position) => {
        const written = formatPosition(position);
        expect(parsePosition(written)).toEqual(position);
        expect(written.length).toBeLessThan(180);
      }),
    );
  });

  it('is nothing else', () => {
    fc.assert(
      fc.property(fc.string(), (other) => {
        expect(parsePosition(other)).toBeUndefined();
      }),
    );
    expect(parsePosition('file 1 2 5 6:0123456789abcdef 0123456789abcdef 0')).toBeUndefined();
  });
});
