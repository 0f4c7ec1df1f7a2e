import { compareInstants, formatInstant, parseInstant, type Instant } from './timestamp.ts';

/** Up to where one stream was taken: every line before `upTo`, and the first `count` lines of that very instant. */
interface Mark {
  readonly upTo: Instant;
  readonly count: number;
}

/**
 * Seconds within which stdout and stderr stand in the log: each is in order by itself, but a line's timestamp is made
 * before its turn to be written (moby daemon/logger/copier.go), so one stream may be behind the other.
 */
const slack = 5;

/**
 * How far the log of a container was taken. It is kept as the instant that each of both streams was taken to, and not as
 * one: a line of one stream may stand behind later ones of the other.
 */
export class DockerProgress {
  readonly #streams: readonly [StreamProgress, StreamProgress];
  /** The line taken last, of either stream; undefined: none since the log was opened, so what came before stands as it is. */
  #last: Instant | undefined;
  /** With a terminal there is one stream only. */
  #isRaw: boolean;

  private constructor(stdout: Mark, stderr: Mark, isRaw: boolean) {
    this.#isRaw = isRaw;
    this.#streams = [new StreamProgress(stdout), new StreamProgress(stderr)];
  }

  /** Nothing was taken of what was logged from then on. */
  static from(since: Instant): DockerProgress {
    return new DockerProgress({ upTo: since, count: 0 }, { upTo: since, count: 0 }, false);
  }

  /** Undefined if it is no position as `position` gives it. */
  static parse(position: string): DockerProgress | undefined {
    const parts = position.split(' ');
    const [stdout, stderr] = parts.map(parseMark);
    if (parts.length === 1) return stdout && new DockerProgress(stdout, stdout, true);
    return stdout && stderr && parts.length === 2 ? new DockerProgress(stdout, stderr, false) : undefined;
  }

  /** Lines that had been taken were not there any more when the log was read again: so others, behind them, may be gone. */
  takeGap(): boolean {
    const gaps = this.#streams.map((stream) => stream.takeGap());
    return gaps.includes(true);
  }

  /** What names everything that was taken: `<stdout> <stderr>` or, with a terminal, `<stdout>`, each `SECONDS.NANOSECONDS+LINES`. */
  get position(): string {
    return this.#marks.map(formatMark).join(' ');
  }

  /** From where the log is to be read again. */
  get since(): Instant {
    const [stdout, stderr = stdout] = this.#marks.map(({ upTo }) => upTo);
    return compareInstants(stdout!, stderr!) < 0 ? stdout! : stderr!;
  }

  /**
   * The log is read again from `since` on: what was taken comes first.
   * @param isRaw whether the container has a terminal
   */
  replay(isRaw: boolean): void {
    this.#isRaw = isRaw;
    for (const stream of this.#streams) stream.replay(this.#markOf(stream));
    this.#last = undefined;
  }

  /**
   * @param stream 0: stdout, 1: stderr
   * @returns whether the line is a new one; it is taken now
   */
  take(stream: 0 | 1, at: Instant): boolean {
    const result = this.#streams[stream].take(at);
    if (result === 'known') return false;
    this.#last = { seconds: at.seconds, nanos: at.nanos };
    if (result === 'set back') this.#streams[1 - stream]!.setBack(earlier(at));
    return true;
  }

  /** No more lines of that instant will come: its last line was cut off by the end of its container. */
  pass(stream: 0 | 1, at: Instant): void {
    this.#streams[stream].pass(at);
  }

  /** A line has begun whose end isn't there yet; undefined: there is none. */
  pend(stream: 0 | 1, begun: Instant | undefined): void {
    this.#streams[stream].pending = begun;
  }

  /** A message has come, be it only a piece of a line. */
  see(stream: 0 | 1, at: Instant): void {
    this.#streams[stream].seen = at;
  }

  /** Whether what was logged at that instant has not come here. */
  isBehind(stream: 0 | 1, at: Instant): boolean {
    const { mark, seen } = this.#streams[stream];
    return compareInstants(mark.upTo, at) < 0 && (!seen || compareInstants(seen, at) < 0);
  }

  get #marks(): Mark[] {
    const marks = this.#streams.map((stream) => this.#markOf(stream));
    return this.#isRaw ? marks.slice(0, 1) : marks;
  }

  /** A stream that was quiet while the other went on has nothing that is older than the slack. */
  #markOf({ mark, pending }: StreamProgress): Mark {
    if (!this.#last) return mark;
    const floor = earlier(this.#last);
    const limit = pending && compareInstants(pending, floor) < 0 ? pending : floor;
    return compareInstants(mark.upTo, limit) < 0 ? { upTo: limit, count: 0 } : mark;
  }
}

/** By the slack. */
function earlier({ seconds, nanos }: Instant): Instant {
  return { seconds: seconds - slack, nanos };
}

class StreamProgress {
  pending: Instant | undefined;
  seen: Instant | undefined;
  #upTo: Instant;
  #count: number;
  /** Lines of the instant `#upTo` that came again; undefined: it isn't read again. */
  #again: number | undefined = 0;
  #hasGap = false;

  constructor({ upTo, count }: Mark) {
    this.#upTo = upTo;
    this.#count = count;
  }

  get mark(): Mark {
    return { upTo: this.#upTo, count: this.#count };
  }

  replay({ upTo, count }: Mark): void {
    this.#upTo = upTo;
    this.#count = count;
    this.#again = 0;
    this.pending = undefined;
  }

  takeGap(): boolean {
    const hasGap = this.#hasGap;
    this.#hasGap = false;
    return hasGap;
  }

  /** `known`: it was taken before. `set back`: the clock was. */
  take({ seconds, nanos }: Instant): 'new' | 'known' | 'set back' {
    const order = seconds - this.#upTo.seconds || nanos - this.#upTo.nanos;
    if (this.#again !== undefined) {
      if (order < 0) return 'known';
      if (order === 0 && this.#again < this.#count) {
        this.#again++;
        return 'known';
      }
      this.#hasGap ||= this.#again < this.#count;
      this.#again = undefined;
    }
    if (order === 0) this.#count++;
    const isSetBack = seconds < this.#upTo.seconds - slack;
    // Somewhat earlier: the clock was corrected by a little, and soon is where it was.
    if (order > 0 || isSetBack) {
      this.#upTo = { seconds, nanos };
      this.#count = 1;
    }
    return isSetBack ? 'set back' : 'new';
  }

  /** The clock was set back to behind `limit`. */
  setBack(limit: Instant): void {
    if (compareInstants(this.#upTo, limit) <= 0) return;
    this.#upTo = limit;
    this.#count = 0;
  }

  pass({ seconds, nanos }: Instant): void {
    if (compareInstants(this.#upTo, { seconds, nanos }) !== 0) return;
    this.#upTo = nanos === 999_999_999 ? { seconds: seconds + 1, nanos: 0 } : { seconds, nanos: nanos + 1 };
    this.#count = 0;
  }
}

/** When the last line was logged that a position includes, epoch milliseconds; undefined: it is no position. */
export function takenUpTo(position: string): number | undefined {
  const times = position.split(' ').map((mark) => {
    const { upTo } = parseMark(mark) ?? {};
    return upTo ? upTo.seconds * 1000 + upTo.nanos / 1e6 : NaN;
  });
  const last = Math.max(...times);
  return Number.isNaN(last) ? undefined : last;
}

function formatMark({ upTo, count }: Mark): string {
  return `${formatInstant(upTo)}+${count}`;
}

function parseMark(text: string): Mark | undefined {
  const [, instant = '', count] = /^(.+)\+(\d{1,15})$/.exec(text) ?? [];
  const upTo = parseInstant(instant);
  return upTo && { upTo, count: Number(count) };
}
