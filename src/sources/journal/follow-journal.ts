import { setTimeout as delay } from 'node:timers/promises';
import { asDock2banError, Dock2banError } from '../../errors.ts';
import { BoundedLines } from './bounded-lines.ts';
import { cursorTime } from './cursor.ts';
import { type JournalEntry, parseJournalEntry } from './entry.ts';
import { findJournalGap } from './gap.ts';
import { type JournalLine, journalLine, lineFields } from './line.ts';
import { type JournalMatches, matchArguments, matchFields } from './matches.ts';
import { JournalParts, partFields } from './parts.ts';
import { findJournal, type JournalPlaces, systemJournal } from './place.ts';
import { type JournalEnd, type StartJournalctl, systemJournalctl } from './journalctl-process.ts';
import { retryDelay } from '../retry-delay.ts';
import type { SourceUpdate } from '../source-update.ts';

/** An entry of the journal with the line that filters see. */
export interface JournalRecord extends JournalLine {
  readonly entry: JournalEntry;
  /** False for what was logged before the journal was opened. */
  readonly live: boolean;
  /** It stands before the position to resume after, and is read because of `rereadFrom`. */
  readonly reread: boolean;
}

/** What following the journal yields. `gap`: where reading was to go on, entries are gone. */
export type JournalUpdate = SourceUpdate<{ readonly lines: readonly JournalRecord[] }>;

export interface JournalOptions {
  readonly signal: AbortSignal;
  /** Entries that meet any of these are yielded. At least one. */
  readonly matches: readonly JournalMatches[];
  /** Resume behind this position. Without it, what was logged from `since` on is read. */
  readonly after?: string;
  /** Epoch milliseconds. */
  readonly since: number;
  /** Go back to this time, epoch milliseconds, although `after` is later: for matches that are new. */
  readonly rereadFrom?: number;
  /** It was said already that the journal can't be read. */
  readonly isLost?: boolean;
  /** The present, epoch milliseconds. */
  readonly now: () => number;
  readonly start?: StartJournalctl;
  /** Where the journal is; or journalctl's arguments that say so. */
  readonly place?: JournalPlaces | readonly string[];
  readonly random?: () => number;
}

/** Bytes of one entry as JSON: four for each byte of a binary message, and what stands around it. */
const mostEntryBytes = 1024 * 1024;
/** Milliseconds that a journalctl has to live until it counts as running, if no entry shows it. */
const settledAfter = 2000;

/** Follows the journal by one `journalctl`; when that ends, another takes up where it ended. Ends when `signal` aborts; never throws. */
export async function* followJournal(
  options: JournalOptions,
): AsyncGenerator<JournalUpdate, void, undefined> {
  const { signal, start = systemJournalctl, random = Math.random } = options;
  const reading = new Reading(options);
  let failures = 0;
  let isLost = options.isLost ?? false;
  while (!signal.aborted) {
    let error: Dock2banError;
    try {
      const { place = systemJournal } = options;
      const machine = 'folders' in place ? await findJournal(place) : undefined;
      const query = matchArguments(onMachine(options.matches, machine));
      if (!query) return;
      const folders = 'folders' in place ? [] : place;
      const journalctl = start([...folders, ...reading.arguments(), '--', ...query]);
      const kill = (): void => journalctl.kill();
      signal.addEventListener('abort', kill);
      if (signal.aborted) kill();
      reading.begin();
      try {
        for await (const chunk of settling(journalctl.output, signal)) {
          failures = 0;
          if (isLost) yield { type: 'resumed' };
          isLost = false;
          const update = chunk && reading.accept(chunk);
          const unseen = chunk && !update ? undefined : reading.unseen;
          if (unseen !== undefined) {
            const { now } = options;
            const lack = await findJournalGap(unseen, { start, place: folders, machine, now, signal });
            if (lack) yield { type: 'gap', reason: 'vacuumed', ...lack };
          }
          if (update) yield update;
        }
      } finally {
        signal.removeEventListener('abort', kill);
        kill();
      }
      const end = await journalctl.ended;
      if (/seek to cursor|parse cursor/i.test(end.message)) reading.forgetPosition();
      error = endError(end);
    } catch (thrown) {
      error = asDock2banError(thrown, 'journal-unreadable');
    }
    if (signal.aborted) return;
    if (!isLost) yield { type: 'lost', error };
    isLost = true;
    await delay(retryDelay(failures++, random), undefined, { signal }).catch(() => undefined);
  }
}

/** The chunks of a stream; undefined once in between if none has come for two seconds. */
async function* settling(
  output: AsyncIterable<Buffer>,
  signal: AbortSignal,
): AsyncGenerator<Buffer | undefined> {
  const chunks = output[Symbol.asyncIterator]();
  const timer = new AbortController();
  const settled = delay(settledAfter, undefined, { signal: AbortSignal.any([timer.signal, signal]) }).catch(
    () => undefined,
  );
  let next = chunks.next();
  if ((await Promise.race([next, settled])) === undefined && !signal.aborted) yield undefined;
  timer.abort();
  for (let result = await next; !result.done; result = await next) {
    yield result.value;
    next = chunks.next();
  }
}

function onMachine(all: readonly JournalMatches[], machine: string | undefined): readonly JournalMatches[] {
  if (machine === undefined) return all;
  const own = `_MACHINE_ID=${machine}`;
  return all.map((matches) => (matches.length === 0 ? [[own]] : matches.map((group) => [...group, own])));
}

function endError({ message, isMissing }: JournalEnd): Dock2banError {
  if (!isMissing) return new Dock2banError('journal-unreadable', message);
  return new Dock2banError('journal-unreadable', 'there is no program journalctl', {
    fix: "install it (Debian: apt-get install systemd), or use the project's own image",
  });
}

/** How far the journal has been read. */
class Reading {
  readonly #options: JournalOptions;
  readonly #parts = new JournalParts();
  readonly #fields: string;
  /** The position to resume after, until it is passed while what is before it is read again. */
  #target: string | undefined;
  /** The last entry read. */
  #readTo: string | undefined;
  /** The position to resume after, until its entry has come or somebody looks for it. */
  #unseen: string | undefined;
  /** Where to begin without a position, epoch milliseconds. */
  #since: number;
  #startedAt = 0;
  #lines = new BoundedLines(mostEntryBytes);

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#fields = [...new Set([...lineFields, ...partFields, '_UID', ...matchFields(options.matches)])].join(
      ',',
    );
    const { after, since, rereadFrom = Infinity } = options;
    this.#since = since;
    if (after !== undefined && rereadFrom * 1000 < cursorTime(after)) {
      this.#target = after;
      this.#since = rereadFrom;
    } else this.#readTo = after;
  }

  /** journalctl's arguments from where it was read to. */
  arguments(): string[] {
    return [
      '--output=json',
      // Else fields above 4 KiB come as null.
      '--all',
      // With --follow, only the current boot is shown: except with --merge, or (later versions) --boot=all behind it.
      '--follow',
      '--merge',
      '--boot=all',
      '--no-tail',
      '--quiet',
      '--no-pager',
      `--output-fields=${this.#fields}`,
      this.#readTo === undefined ? `--since=@${Math.floor(this.#since / 1000)}` : `--cursor=${this.#readTo}`,
    ];
  }

  /** A journalctl was started. */
  begin(): void {
    this.#startedAt = this.#options.now();
    this.#unseen = this.#target ?? this.#readTo;
    this.#lines = new BoundedLines(mostEntryBytes);
  }

  /**
   * The position to resume after, if it should have come by now: because something later has, or because nothing comes. Whether it is
   * gone is to be found out; told once.
   */
  get unseen(): string | undefined {
    const cursor = this.#unseen;
    // What is older is read again first.
    if (cursor === undefined || (this.#target === cursor && this.#readTo !== undefined)) return undefined;
    this.#unseen = undefined;
    return cursor;
  }

  /** The position is none: reading begins at the time that it names, if it does, and no earlier than without one. */
  forgetPosition(): void {
    const time = cursorTime(this.#target ?? this.#readTo ?? '') / 1000;
    this.#since = Math.max(this.#options.since, Number.isNaN(time) ? 0 : time);
    this.#readTo = undefined;
    this.#target = undefined;
  }

  accept(chunk: Buffer): JournalUpdate | undefined {
    const lines: JournalRecord[] = [];
    const before = this.#readTo;
    for (const text of this.#lines.accept(chunk)) {
      const entry = parseJournalEntry(text);
      if (entry?.cursor === this.#unseen) this.#unseen = undefined;
      // The entry at the cursor comes again, unless it is gone; journalctl's own --after-cursor would then skip another.
      if (entry && entry.cursor !== this.#readTo) this.#take(entry, lines);
    }
    const position = this.#target ?? this.#readTo;
    if (position === undefined || this.#readTo === before) return undefined;
    return { type: 'lines', lines, position };
  }

  #take(entry: JournalEntry, lines: JournalRecord[]): void {
    this.#readTo = entry.cursor;
    const reread = this.#target !== undefined && entry.received <= cursorTime(this.#target);
    if (this.#target !== undefined && (!reread || entry.cursor === this.#target)) this.#target = undefined;
    const message = this.#parts.join(entry);
    if (message === undefined) return;
    const live = entry.received >= this.#startedAt * 1000;
    lines.push({ ...journalLine(entry, message), entry, live, reread });
  }
}
