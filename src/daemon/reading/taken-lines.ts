import { createHash } from 'node:crypto';

/** Lines that are kept: those of two seconds of a flood, of which each was a failure. */
const most = 20_000;

interface TakenLine {
  readonly time: number;
  readonly text: string;
}

/** The lines that were taken last of a container, so that none is taken again when its log is read another way. */
export class TakenLines {
  #lines: TakenLine[] = [];
  /** How often each line is in it, once it is searched. */
  #counts: Map<string, number> | undefined;
  /** Lines of up to this time may be missing. */
  #lostUntil = -Infinity;

  /** What `stored` gave. */
  static parse(stored: readonly string[]): TakenLines {
    const taken = new TakenLines();
    taken.#counts = new Map();
    for (const one of stored) {
      const [key = '', count = '1'] = one.split('*');
      taken.#counts.set(key, Number(count));
    }
    return taken;
  }

  /** How many different lines are in it. */
  get size(): number {
    return this.#counts?.size ?? this.#lines.length;
  }

  /** For the store, without spaces. */
  get stored(): string[] {
    return [...this.#counted].map(([key, count]) => (count === 1 ? key : `${key}*${count}`));
  }

  /** @param since lines before this time, epoch milliseconds, aren't needed any more */
  add(text: string, time: number, since: number): void {
    const lines = this.#lines;
    lines.push({ time, text });
    // Rarely, as it is slow: when at least half can go.
    if (lines.length < most && lines[lines.length >> 1]!.time >= since) return;
    const kept = lines.filter((line) => line.time >= since);
    for (const gone of kept.splice(0, Math.max(0, kept.length - most / 2))) this.#lostUntil = gone.time;
    this.#lines = kept;
  }

  /** The time from which the log can be read from elsewhere: all lines taken since then are known. */
  startAt(since: number): number {
    const start = Math.max(since, this.#lostUntil + 1000);
    this.#lines = this.#lines.filter(({ time }) => time >= start);
    return start;
  }

  /** Removes a line. @returns whether it was there */
  remove(text: string): boolean {
    const counts = this.#counted;
    const key = keyOf(text);
    const count = counts.get(key);
    if (count === undefined) return false;
    if (count > 1) counts.set(key, count - 1);
    else counts.delete(key);
    return true;
  }

  get #counted(): Map<string, number> {
    if (this.#counts) return this.#counts;
    const counts = new Map<string, number>();
    for (const { text } of this.#lines) {
      const key = keyOf(text);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    this.#lines = [];
    return (this.#counts = counts);
  }
}

/** Syslog daemons write control characters as `#` and three octal digits. */
function keyOf(text: string): string {
  // eslint-disable-next-line no-control-regex -- these are just what is escaped
  const plain = text.replaceAll(
    /[\x00-\x1f\x7f]/g,
    (char) => `#${char.charCodeAt(0).toString(8).padStart(3, '0')}`,
  );
  return createHash('sha256').update(plain).digest('base64url').slice(0, 12);
}
