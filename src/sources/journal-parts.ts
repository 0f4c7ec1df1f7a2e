import type { JournalEntry } from './journal-entry.ts';
import { fieldOf, maxJournalMessage, messageOf } from './journal-line.ts';

/** Fields that tell which entries are parts of one line (moby daemon/logger/journald). */
export const partFields = [
  'CONTAINER_ID_FULL',
  'CONTAINER_PARTIAL_MESSAGE',
  'CONTAINER_PARTIAL_ORDINAL',
  'PRIORITY',
] as const;

/** Lines that may be incomplete at a time: two for each of many containers. */
const mostOpen = 1000;

/** Joins what Docker's journald driver split: it cuts lines every 16 KiB, and marks all pieces but the last. */
export class JournalParts {
  readonly #open = new Map<string, string>();

  /** The whole message that an entry ends; undefined if more of it is to come, or its beginning is unknown. */
  join(entry: JournalEntry): string | undefined {
    const message = messageOf(entry);
    const container = fieldOf(entry, 'CONTAINER_ID_FULL');
    if (container === undefined) return message;
    // Standard output and standard error have a priority each.
    const key = `${container} ${fieldOf(entry, 'PRIORITY') ?? ''}`;
    const before = this.#open.get(key);
    const isPart = fieldOf(entry, 'CONTAINER_PARTIAL_MESSAGE') === 'true';
    const ordinal = Number(fieldOf(entry, 'CONTAINER_PARTIAL_ORDINAL') ?? 1);
    // The end of a line by itself could pass for a line.
    if (before === undefined && ordinal > 1 && !isPart) return undefined;
    const joined = ((before ?? '') + message).slice(0, maxJournalMessage);
    this.#open.delete(key);
    if (!isPart) return joined;
    this.#open.set(key, joined);
    if (this.#open.size > mostOpen) this.#open.delete(this.#open.keys().next().value!);
    return undefined;
  }
}
