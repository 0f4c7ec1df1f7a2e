import { BoundedLines } from './bounded-lines.ts';
import { cursorTime, entryNumber } from './cursor.ts';
import { parseJournalEntry } from './entry.ts';
import type { StartJournalctl } from './journalctl-process.ts';

/** When entries were logged that are gone from the journal, epoch milliseconds: after `from`, before `to`. */
export interface JournalGap {
  /** Undefined: the cursor names no time. */
  readonly from: number | undefined;
  readonly to: number;
}

export interface GapQuery {
  readonly start: StartJournalctl;
  /** journalctl's arguments that say where the journal is. */
  readonly place: readonly string[];
  /** Whose entries they are, where the journals of several machines lie beside each other. */
  readonly machine: string | undefined;
  /** The present, epoch milliseconds. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** Milliseconds that journalctl has to find the first entry. */
const answerWithin = 10_000;
/** Entries of the cursor's own microsecond that may come before the one at the cursor. */
const mostBefore = 16;
/** Any field: without one named, journalctl prints all. */
const someField = '_BOOT_ID';
const mostEntryBytes = 64 * 1024;

/**
 * Whether the journal still goes on behind the entry at a cursor. journalctl itself doesn't tell: at a cursor whose entry is gone it
 * begins with the next that there is (sd_journal_seek_cursor(3)). So the journal is asked for its first entry from there on,
 * whatever that is: it is the one at the cursor, or by its number the next one, or some are missing.
 * @returns undefined if nothing is missing, or that couldn't be found out
 */
export async function findJournalGap(cursor: string, query: GapQuery): Promise<JournalGap | undefined> {
  const { start, place, machine, now, signal } = query;
  const journalctl = start([
    ...place,
    '--output=json',
    '--merge',
    '--quiet',
    '--no-pager',
    `--output-fields=${someField}`,
    `--cursor=${cursor}`,
    ...(machine === undefined ? [] : ['--', `_MACHINE_ID=${machine}`]),
  ]);
  const end = AbortSignal.any([signal, AbortSignal.timeout(answerWithin)]);
  const kill = (): void => journalctl.kill();
  end.addEventListener('abort', kill);
  if (end.aborted) kill();
  try {
    const from = cursorTime(cursor) / 1000;
    const span = { from: Number.isNaN(from) ? undefined : from };
    const lines = new BoundedLines(mostEntryBytes);
    let first: number | undefined;
    let seen = 0;
    for await (const chunk of journalctl.output) {
      for (const text of lines.accept(chunk)) {
        const entry = parseJournalEntry(text);
        if (!entry) continue;
        if (entry.cursor === cursor || isNext(entry.cursor, cursor)) return undefined;
        first ??= entry.received / 1000;
        seen += 1;
        if (entry.received / 1000 > from || seen > mostBefore) return { ...span, to: first };
      }
    }
    if (first !== undefined) return { ...span, to: first };
    const { isDone } = await journalctl.ended;
    return isDone ? { ...span, to: now() } : undefined;
  } catch {
    return undefined;
  } finally {
    end.removeEventListener('abort', kill);
    kill();
  }
}

/** Whether an entry was the next to be logged after another: journald numbers them. */
function isNext(cursor: string, before: string): boolean {
  const [a, b] = [entryNumber(before), entryNumber(cursor)];
  return a !== undefined && b !== undefined && a.sequence === b.sequence && b.number === a.number + 1n;
}
