import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  followJournal,
  type JournalOptions,
  type JournalUpdate,
} from '../../../src/sources/journal/follow-journal.ts';
import { findJournal } from '../../../src/sources/journal/place.ts';
import { systemJournalctl } from '../../../src/sources/journal/journalctl-process.ts';
import { cursorOf, entry, firstEntryAt, scriptedJournal } from './scripted-journal.ts';

let end: AbortController;
let updates: JournalUpdate[];
let done: Promise<void>;
const { start, runs } = scriptedJournal();

beforeEach(() => {
  end = new AbortController();
  updates = [];
  runs.length = 0;
});

afterEach(async () => {
  end.abort();
  await done;
});

function follow(options: Partial<JournalOptions> = {}): void {
  done = (async () => {
    for await (const update of followJournal({
      signal: end.signal,
      matches: [[['CONTAINER_ID_FULL=a']], [['_COMM=sshd'], ['_UID=0', '_COMM=login']]],
      since: firstEntryAt - 600_000,
      now: () => firstEntryAt + 100_000,
      start,
      place: [],
      random: () => 1,
      ...options,
    })) {
      updates.push(update);
    }
  })();
}

const texts = () =>
  updates.flatMap((update) =>
    update.type === 'lines' ? update.lines.map(({ line }) => line.text) : [update.type],
  );
const position = () => updates.findLast((update) => update.type === 'lines')?.position;

async function sees(...wanted: string[]): Promise<void> {
  await vi.waitFor(() => expect(texts()).toEqual(wanted), { timeout: 10_000, interval: 5 });
}

async function run(index: number) {
  return vi.waitFor(
    () => {
      expect(runs.length).toBe(index + 1);
      return runs[index]!;
    },
    { timeout: 10_000, interval: 5 },
  );
}

describe('the journal', () => {
  it('is read by one journalctl for all matches, of all boots, from findtime on', async () => {
    follow();
    const { args, matches } = await run(0);
    expect(matches).toEqual(['CONTAINER_ID_FULL=a', '+', '_COMM=sshd', '+', '_UID=0', '_COMM=login']);
    expect(args).toContain(`--since=@${firstEntryAt / 1000 - 600}`);
    expect(args.indexOf('--boot=all')).toBeGreaterThan(args.indexOf('--follow'));
    expect(runs[0]!.option('output-fields')!.split(',')).toEqual(
      expect.arrayContaining(['MESSAGE', 'CONTAINER_ID_FULL', '_COMM', '_UID', 'CONTAINER_PARTIAL_MESSAGE']),
    );
  });

  it('gives lines, whether they were logged before the start, and the position behind them', async () => {
    follow();
    const journalctl = await run(0);
    journalctl.print(entry(1), entry(100));
    await sees('line 1', 'line 100');
    expect(updates).toMatchObject([
      { lines: [{ live: false, reread: false }, { live: true }], position: cursorOf(100) },
    ]);
    journalctl.write(JSON.stringify(entry(101)).slice(0, 20));
    journalctl.write(
      `${JSON.stringify(entry(101)).slice(20)}\nnonsense\n${'x'.repeat(1024 * 1024 + 1)}\n{}\n`,
    );
    journalctl.print(entry(102));
    await sees('line 1', 'line 100', 'line 101', 'line 102');
  });

  it('is taken up where it ended when journalctl dies, and says so once each', async () => {
    follow();
    (await run(0)).print(entry(1), entry(2));
    await sees('line 1', 'line 2');
    runs[0]!.end('journalctl ended by SIGKILL');
    (await run(1)).end('journalctl ended with exit code 1: no');
    const third = await run(2);
    expect(third.option('cursor')).toBe(cursorOf(2));
    expect(third.option('since')).toBeUndefined();
    third.print(entry(2), entry(3));
    await sees('line 1', 'line 2', 'lost', 'resumed', 'line 3');
    expect(updates[1]).toMatchObject({
      error: { code: 'journal-unreadable', message: 'journalctl ended by SIGKILL' },
    });
  });

  it('counts as resumed if nothing is logged', async () => {
    follow();
    (await run(0)).end();
    await run(1);
    await sees('lost', 'resumed');
  });

  it('resumes after a position', async () => {
    follow({ after: cursorOf(5) });
    const journalctl = await run(0);
    expect(journalctl.option('cursor')).toBe(cursorOf(5));
    journalctl.print(entry(5), entry(6), entry(7));
    await sees('line 6', 'line 7');
    expect(position()).toBe(cursorOf(7));
    expect(runs).toHaveLength(1);
  });

  it('begins at the time of a position that journalctl does not know', async () => {
    follow({ after: cursorOf(5) });
    (await run(0)).end('Failed to seek to cursor: Invalid argument');
    const again = await run(1);
    expect(again.option('cursor')).toBeUndefined();
    expect(again.option('since')).toBe(`@${firstEntryAt / 1000 + 5}`);
  });

  it('is read again for new matches, and the position stays until it is passed', async () => {
    follow({ after: cursorOf(5), rereadFrom: firstEntryAt + 1000 });
    const journalctl = await run(0);
    expect(journalctl.option('since')).toBe(`@${firstEntryAt / 1000 + 1}`);
    journalctl.print(entry(2), entry(4));
    await sees('line 2', 'line 4');
    expect(position()).toBe(cursorOf(5));
    journalctl.end();
    const again = await run(1);
    expect(again.option('cursor')).toBe(cursorOf(4));
    again.print(entry(4), entry(5), entry(6));
    await sees('line 2', 'line 4', 'lost', 'resumed', 'line 5', 'line 6');
    expect(
      updates.flatMap((update) => (update.type === 'lines' ? update.lines.map(({ reread }) => reread) : [])),
    ).toEqual([true, true, true, false]);
    expect(position()).toBe(cursorOf(6));
  });

  it('joins what Docker split, over chunks', async () => {
    follow();
    const journalctl = await run(0);
    journalctl.print(
      entry(1, { CONTAINER_ID_FULL: 'a', CONTAINER_PARTIAL_MESSAGE: 'true', MESSAGE: 'x'.repeat(16_384) }),
    );
    journalctl.print(entry(2, { CONTAINER_ID_FULL: 'a', MESSAGE: 'two' }));
    await sees(`${'x'.repeat(16_384)}two`);
  });

  it('is not opened for matches that nothing can meet', async () => {
    follow({ matches: [[['--root=/']]] });
    await done;
    expect(runs).toEqual([]);
  });

  it('ends journalctl when it ends', async () => {
    follow();
    const journalctl = await run(0);
    end.abort();
    await done;
    expect(journalctl.killed).toBe(true);
  });

  it('that is not there is said once, with what to mount', async () => {
    follow({ place: { folders: ['/nowhere/journal'], machineId: '/nowhere/id' } });
    await sees('lost');
    expect(updates).toMatchObject([
      { error: { code: 'journal-missing', fix: expect.stringContaining('/run/log/journal') } },
    ]);
    expect(runs).toEqual([]);
  });

  it('without journalctl is said with what to install', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = '/nowhere';
    try {
      follow({ start: systemJournalctl });
      await sees('lost');
    } finally {
      process.env['PATH'] = path;
    }
    expect(updates).toMatchObject([
      { error: { message: 'there is no program journalctl', fix: expect.stringContaining('install') } },
    ]);
  });
});

describe('the place of the journal', () => {
  let folder: string;
  const [one, two] = ['1'.repeat(32), '2'.repeat(32)];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'journal-'));
    done = Promise.resolve();
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const find = () =>
    findJournal({
      folders: [join(folder, 'var'), join(folder, 'run')],
      machineId: join(folder, 'machine-id'),
    });

  it('needs no machine id if there is but one', async () => {
    mkdirSync(join(folder, `var/${one}`), { recursive: true });
    mkdirSync(join(folder, `run/${one}`), { recursive: true });
    mkdirSync(join(folder, 'var/remote'));
    expect(await find()).toBeUndefined();
  });

  it('needs it to tell this host from others', async () => {
    mkdirSync(join(folder, `var/${one}`), { recursive: true });
    mkdirSync(join(folder, `var/${two}.namespace`), { recursive: true });
    await expect(find()).rejects.toMatchObject({
      code: 'journal-missing',
      fix: expect.stringContaining('machine-id'),
    });
    writeFileSync(join(folder, 'machine-id'), `${one}\n`);
    expect(await find()).toBe(one);
    follow({
      place: { folders: [join(folder, 'var')], machineId: join(folder, 'machine-id') },
      matches: [[['A=1']], [['B=1', 'C=1']]],
    });
    expect((await run(0)).matches).toEqual([
      'A=1',
      `_MACHINE_ID=${one}`,
      '+',
      'B=1',
      'C=1',
      `_MACHINE_ID=${one}`,
    ]);
  });
});
