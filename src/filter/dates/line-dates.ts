import type { LogLine } from '../../sources/log-line.ts';
import type { Block } from '../search/block.ts';
import type { BufferedLine } from '../lines/buffered-line.ts';
import { LastDate } from './last-date.ts';
import { LineHeads } from './line-heads.ts';
import { DateDetector, type FoundLead, type TemplateHits } from './detector.ts';
import { LocalClock } from './local-clock.ts';
import { templatesOf } from './template-list.ts';
import { alphabetOf } from '../python-regex/pattern.ts';

/** A line with its date cut out, and its time. */
export interface DatedLine {
  readonly line: BufferedLine;
  /** Epoch milliseconds. */
  readonly time: number;
  /** Whether failregex sees text joined that wasn't: that in front of the date and that behind. */
  readonly joined: boolean;
}

export interface DateRules {
  /** fail2ban's option of that name; undefined: the default templates. */
  readonly datepattern: string | undefined;
  /** Minutes east of UTC of dates that name no zone; undefined: local time. */
  readonly timeZone: number | undefined;
  /** Seconds. */
  readonly findtime: number;
  /** False: times stand as logged, however old, as in fail2ban's tools. */
  readonly checkTimes: boolean;
  /** The year when the filter was made: it limits which years are plausible. */
  readonly thisYear: number;
  /** Called when looking for a date was given up for its cost, with the length of the line: it then counts as undated. */
  readonly onExceeded?: (length: number) => void;
}

/** When lines are read; all in epoch milliseconds. */
export interface Reading {
  readonly now: number;
  /** False: they were logged before the start. */
  readonly live: boolean;
  /**
   * When the log was written last, of what was logged while nobody read it: such lines count though they have no date, at the last
   * date before them, or else then. Undefined: before the start, only dated lines count.
   */
  readonly by?: number | undefined;
}

/** Lines of a block that don't matter but for their date. */
export interface SkippedLines {
  readonly block: Block;
  /** Where the first begins. */
  readonly from: number;
  /** Behind the newline of the last. */
  readonly to: number;
  readonly reading: Reading;
}

/** A line with its date cut out; without time if it has none that makes sense. */
interface CutLine {
  readonly line: BufferedLine;
  readonly time: number | undefined;
  readonly joined: boolean;
}

/** What the source knows of a line's time. */
export type LogTime = Pick<LogLine, 'time' | 'dateRemoved'>;

const minute = 60_000;

/** Finds the time of each line and cuts its date out, by fail2ban's rules for odd, old and missing dates. */
export class LineDates {
  readonly #detector: DateDetector;
  readonly #rules: DateRules;
  /** Whether a text that failregex sees, with the date cut out, has no word that the line hasn't. */
  readonly keepsWords: boolean;
  /** The last known date. */
  #lastTime: number | undefined;
  readonly #clock = new LocalClock();
  readonly #lastDate = new LastDate();
  readonly #heads = new LineHeads();
  /** The line passed last, whose date is read only when it is asked for. */
  #passed: { text: string; lead: FoundLead; reading: Reading } | undefined;
  /** Lines that were skipped since. */
  #skipped: SkippedLines | undefined;

  /** @throws Dock2banError `datepattern` */
  constructor(rules: DateRules) {
    this.#rules = rules;
    const templates = templatesOf(rules.datepattern, rules.thisYear);
    this.#detector = new DateDetector(templates, rules.onExceeded);
    this.keepsWords = templates.every(({ endsAtWord }) => endsAtWord);
  }

  get templateHits(): TemplateHits[] {
    return this.#detector.hits;
  }

  /**
   * Takes note of a line that doesn't matter otherwise: lines without a date count at the time of the one before.
   * @returns false if that takes a full `date`
   */
  pass(line: LogTime, text: string, now: number): boolean {
    if (line.dateRemoved) {
      this.#keep(line.time ?? now);
      return true;
    }
    const lead = this.#detector.findLeading(text, now);
    if (!lead) return false;
    if (line.time === undefined) this.#passed = { text, lead, reading: { now, live: true } };
    else this.#keep(line.time);
    return true;
  }

  /** Takes note of lines that don't matter otherwise. They must be left (`leave`) before their block is gone. */
  skip(lines: SkippedLines): void {
    this.#skipped = lines;
  }

  /** Ends the use of the lines that were skipped last. */
  leave(): void {
    const lines = this.#skipped;
    if (!lines) return;
    const { block, to, reading } = lines;
    const text = block.line(block.lineStart(to - 1), to - 1);
    const lead = this.#detector.findLeading(text, reading.now);
    if (!lead) this.#settle();
    else this.#passed = { text, lead, reading };
    this.#skipped = undefined;
  }

  /**
   * Where what failregex sees of a line of an ASCII block begins in it, if that is known without `date`.
   * @param start where the line begins in the block
   * @param end where its newline stands
   */
  visibleStart(block: Block, start: number, end: number): number | undefined {
    const template = this.#detector.last;
    return template?.nearSighted ? this.#heads.visibleStart(template, block, start, end) : undefined;
  }

  /**
   * @param text with a newline at its end
   * @returns undefined for a line that is too old to matter
   */
  date(line: LogTime, text: string, reading: Reading): DatedLine | undefined {
    const { now, live } = reading;
    const cut = line.dateRemoved ? this.#given(line, text, now) : this.#cut(line, text, now);
    const { checkTimes, findtime } = this.#rules;
    const time = cut.time ?? this.#undated(reading);
    if (time === undefined) return undefined;
    const dated: DatedLine = { line: cut.line, time, joined: cut.joined };
    if (!checkTimes) return dated;
    if (!live) return time < now - findtime * 1000 ? undefined : dated;
    if (!isOdd(time, now)) return dated;
    if (this.#lastTime !== undefined) this.#lastTime = now;
    return { ...cut, time: now };
  }

  /** When a line counts as logged that has no date, and no date shortly before it. */
  #undated({ now, live, by }: Reading): number | undefined {
    if (live || !this.#rules.checkTimes) return now;
    return by === undefined ? undefined : Math.min(this.#lastTime ?? by, by, now);
  }

  #given(line: LogTime, text: string, now: number): CutLine {
    const time = line.time ?? now;
    this.#keep(time);
    return { line: uncut(text), time, joined: false };
  }

  #cut(line: LogTime, text: string, now: number): CutLine {
    const lead = this.#detector.findLeading(text, now);
    if (lead) {
      const cut = { visible: text.slice(lead.end), logged: text.slice(0, -1) };
      return this.#timed(cut, false, line.time ?? this.#timeOfLead(text, lead, now), now);
    }
    this.#settle();
    const found = this.#detector.find(text, now);
    const span = found?.match.span(1);
    if (!found || !span) return { line: uncut(text), time: line.time ?? this.#recent(now), joined: false };
    const [start, end] = span;
    const joined = start > 0;
    const cut = { visible: text.slice(0, start) + text.slice(end), logged: text.slice(0, -1) };
    if (start < end) {
      const context = { now, zone: this.#rules.timeZone, clock: this.#clock };
      return this.#timed(cut, joined, line.time ?? found.template.time(found.match, text, context), now);
    }
    const recent = this.#recent(now);
    return { line: cut, time: line.time ?? recent ?? now, joined: false };
  }

  #timed(cut: BufferedLine, joined: boolean, time: number | undefined, now: number): CutLine {
    if (time !== undefined) {
      this.#keep(time);
      return { line: cut, time, joined };
    }
    const recent = this.#recent(now);
    return { line: recent === undefined ? cut : uncut(`${cut.logged}\n`), time: recent, joined };
  }

  #timeOfLead(text: string, lead: FoundLead, now: number): number | undefined {
    const known = this.#lastDate.timeOf(text, lead, now);
    if (known !== undefined) return known;
    const { template } = lead;
    const match = template.find(text, alphabetOf(text), 0);
    if (typeof match !== 'object') return undefined;
    const time = template.time(match, text, { now, zone: this.#rules.timeZone, clock: this.#clock });
    if (time !== undefined) this.#lastDate.keep(text, lead, now, time);
    return time;
  }

  #keep(time: number): void {
    this.#lastTime = time;
    this.#passed = undefined;
    this.#skipped = undefined;
  }

  /** The last known date, if it is less than a minute old. */
  #recent(now: number): number | undefined {
    this.#settle();
    return this.#lastTime !== undefined && this.#lastTime > now - minute ? this.#lastTime : undefined;
  }

  /** Reads the last date of the lines that were passed or skipped. */
  #settle(): void {
    const [passed, skipped] = [this.#passed, this.#skipped];
    this.#passed = undefined;
    this.#skipped = undefined;
    if (skipped && this.#settleSkipped(skipped)) return;
    if (passed)
      this.#settleAt(this.#timeOfLead(passed.text, passed.lead, passed.reading.now), passed.reading);
  }

  #settleSkipped(lines: SkippedLines): boolean {
    const { block, from, reading } = lines;
    for (let end = lines.to - 1, start: number; end >= from; end = start - 1) {
      start = block.lineStart(end);
      if (this.#settleAt(this.#timeOf(block.line(start, end), reading.now), reading)) return true;
    }
    return false;
  }

  #settleAt(time: number | undefined, { now, live }: Reading): boolean {
    if (time === undefined) return false;
    this.#keep(this.#rules.checkTimes && live && isOdd(time, now) ? now : time);
    return true;
  }

  #timeOf(text: string, now: number): number | undefined {
    const lead = this.#detector.findLeading(text, now);
    if (lead) return this.#timeOfLead(text, lead, now);
    const found = this.#detector.find(text, now);
    const [start, end] = found?.match.span(1) ?? [0, 0];
    if (!found || start === end) return undefined;
    return found.template.time(found.match, text, { now, zone: this.#rules.timeZone, clock: this.#clock });
  }
}

function uncut(text: string): BufferedLine {
  return { visible: text, logged: text.slice(0, -1) };
}

/** More than a minute off: a log written late, or a wrong zone. */
function isOdd(time: number, now: number): boolean {
  return Math.abs(time - now) >= minute + 1000;
}
