import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  followJournal,
  type JournalOptions,
  type JournalUpdate,
} from '../../../src/sources/journal/follow-journal.ts';
import {
  cursorOf,
  entry,
  firstEntryAt,
  scriptedJournal,
  type ScriptedJournalctl,
} from './scripted-journal.ts';

const now = firstEntryAt + 100_000;
const { start, runs } = scriptedJournal();
let end: AbortController;
let updates: JournalUpdate[];
let done: Promise<void>;

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
      matches: [[['_COMM=sshd']]],
      after: cursorOf(5),
      since: firstEntryAt,
      now: () => now,
      start,
      place: ['--directory=/journal'],
      random: () => 1,
      ...options,
    })) {
      updates.push(update);
    }
  })();
}

const seen = () =>
  updates.flatMap((update) => {
    if (update.type === 'lines') return update.lines.map(({ line }) => line.text);
    return update.type === 'gap'
      ? [`gap ${(update.from! - firstEntryAt) / 1000}-${(update.to! - firstEntryAt) / 1000}`]
      : [update.type];
  });

async function sees(...wanted: string[]): Promise<void> {
  await vi.waitFor(() => expect(seen()).toEqual(wanted), { timeout: 10_000, interval: 5 });
}

async function run(index: number): Promise<ScriptedJournalctl> {
  return vi.waitFor(
    () => {
      expect(runs.length).toBe(index + 1);
      return runs[index]!;
    },
    { timeout: 10_000, interval: 5 },
  );
}

/** The question for the first entry from a position on, answered with these. */
async function asked(index: number, ...answer: readonly object[]): Promise<ScriptedJournalctl> {
  const question = await run(index);
  question.print(...answer);
  question.end('');
  return question;
}

describe('a journal without the entry to resume after', () => {
  it('is asked for what there is instead, whatever the matches; the gap is said before the lines', async () => {
    follow();
    (await run(0)).print(entry(9), entry(12));
    const question = await asked(1, entry(8), entry(9));
    await sees('gap 5-8', 'line 9', 'line 12');
    expect(question.option('cursor')).toBe(cursorOf(5));
    expect(question.args).toContain('--directory=/journal');
    expect(question.args).not.toContain('--');
    expect(question.args).not.toContain('--follow');
  });

  it('lacks nothing if it goes on with the next number', async () => {
    follow();
    (await run(0)).print(entry(9));
    await asked(1, entry(6));
    await sees('line 9');
  });

  it('lacks nothing if the entry is there but no longer met by the matches', async () => {
    follow();
    (await run(0)).print(entry(9));
    await asked(1, { ...entry(4), __CURSOR: 's=1;i=1;t=0' }, entry(5));
    await sees('line 9');
  });

  it('is asked when nothing comes, too: all may be gone', async () => {
    follow();
    await run(0);
    await asked(1);
    await sees('gap 5-100');
    runs[0]!.print(entry(101));
    await sees('gap 5-100', 'line 101');
    expect(runs).toHaveLength(2);
  });

  it('is not said to lack anything when the question fails', async () => {
    follow();
    (await run(0)).print(entry(9));
    (await run(1)).end('No journal files were opened due to insufficient permissions.');
    await sees('line 9');
  });

  it('is asked once an entry behind the position has come, if what is before it is read again', async () => {
    follow({ rereadFrom: firstEntryAt });
    (await run(0)).print(entry(2));
    await sees('line 2');
    expect(runs).toHaveLength(1);
    runs[0]!.print(entry(9));
    await asked(1, entry(9));
    await sees('line 2', 'gap 5-9', 'line 9');
  });

  it('is asked again after journalctl has died, but not without need', async () => {
    follow();
    (await run(0)).print(entry(5), entry(6));
    await sees('line 6');
    runs[0]!.end();
    (await run(1)).print(entry(6), entry(7));
    await sees('line 6', 'lost', 'resumed', 'line 7');
    runs[1]!.end();
    (await run(2)).print(entry(20));
    await asked(3, entry(20));
    await sees('line 6', 'lost', 'resumed', 'line 7', 'lost', 'resumed', 'gap 7-20', 'line 20');
  });
});
