import type { LogLine } from '../sources/log-line.ts';
import type { BufferedLine } from './buffered-line.ts';
import { DateDetector, type FoundLead, type TemplateHits } from './dates/detector.ts';
import { LocalClock } from './dates/local-clock.ts';
import { templatesOf } from './dates/template-list.ts';
import { alphabetOf } from './python-regex/pattern.ts';

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
}

/** A line with its date cut out; without time if it has none that makes sense. */
interface CutLine {
  readonly line: BufferedLine;
  readonly time: number | undefined;
  readonly joined: boolean;
}

const minute = 60_000;

/** Finds the time of each line and cuts its date out, by fail2ban's rules for odd, old and missing dates. */
export class LineDates {
  readonly #detector: DateDetector;
  readonly #rules: DateRules;
  /** The last known date. */
  #lastTime: number | undefined;
  readonly #clock = new LocalClock();
  /** What the last date's text meant: under load, many lines have the same. */
  #meaning = { text: '', minute: 0, time: 0 };
  /** The line seen last, and what was found out about it: filters that share this ask one after the other. */
  #line: LogLine | undefined;
  #lead: FoundLead | undefined;
  #dated: { readonly line: DatedLine | undefined } | undefined;
  /** The line passed last, whose date is read only when it is asked for. */
  #passed: { text: string; lead: FoundLead; now: number } | undefined;

  /** @throws Dock2banError `datepattern` */
  constructor(rules: DateRules) {
    this.#rules = rules;
    this.#detector = new DateDetector(templatesOf(rules.datepattern, rules.thisYear));
  }

  get templateHits(): TemplateHits[] {
    return this.#detector.hits;
  }

  /**
   * Takes note of a line that doesn't matter otherwise: lines without a date count at the time of the one before.
   * @returns false if that takes a full `date`
   */
  pass(line: LogLine, text: string, now: number): boolean {
    if (line === this.#line) return !this.#dated?.line?.joined;
    if (line.dateRemoved) {
      this.#keep(line.time ?? now);
      return true;
    }
    const lead = this.#detector.findLeading(text, now);
    if (!lead) return false;
    this.#line = line;
    this.#lead = lead;
    this.#dated = undefined;
    if (line.time === undefined) this.#passed = { text, lead, now };
    else this.#keep(line.time);
    return true;
  }

  /**
   * @param live false while reading what was logged before the start
   * @returns undefined for a line that is too old to matter
   */
  date(line: LogLine, text: string, now: number, live: boolean): DatedLine | undefined {
    const known = line === this.#line;
    if (known && this.#dated) return this.#dated.line;
    const dated = this.#date(line, text, now, live, known ? this.#lead : undefined);
    this.#line = line;
    this.#dated = { line: dated };
    return dated;
  }

  #date(
    line: LogLine,
    text: string,
    now: number,
    live: boolean,
    lead: FoundLead | undefined,
  ): DatedLine | undefined {
    const cut = line.dateRemoved ? this.#given(line, text, now) : this.#cut(line, text, now, lead);
    const { time } = cut;
    const { checkTimes, findtime } = this.#rules;
    if (!checkTimes) return { ...cut, time: time ?? now };
    if (!live) return time === undefined || time < now - findtime * 1000 ? undefined : { ...cut, time };
    if (time === undefined) return { ...cut, time: now };
    if (!isOdd(time, now)) return { ...cut, time };
    if (this.#lastTime !== undefined) this.#lastTime = now;
    return { ...cut, time: now };
  }

  #given(line: LogLine, text: string, now: number): CutLine {
    const time = line.time ?? now;
    this.#keep(time);
    return { line: uncut(text), time, joined: false };
  }

  #cut(line: LogLine, text: string, now: number, known: FoundLead | undefined): CutLine {
    const lead = known ?? this.#detector.findLeading(text, now);
    if (lead) {
      const cut = { visible: text.slice(lead.end), logged: text };
      return this.#timed(cut, false, line.time ?? this.#timeOfLead(text, lead, now), now);
    }
    this.#settle();
    const found = this.#detector.find(text, now);
    const span = found?.match.span(1);
    if (!found || !span) return { line: uncut(text), time: line.time ?? this.#recent(now), joined: false };
    const [start, end] = span;
    const joined = start > 0;
    const cut = { visible: text.slice(0, start) + text.slice(end), logged: text };
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
    return { line: recent === undefined ? cut : uncut(cut.logged), time: recent, joined };
  }

  #timeOfLead(text: string, { template, end }: FoundLead, now: number): number | undefined {
    const meaning = this.#meaning;
    const minuteNow = Math.floor(now / minute);
    if (meaning.text.length === end && meaning.minute === minuteNow && text.startsWith(meaning.text))
      return meaning.time;
    const match = template.find(text, alphabetOf(text), 0);
    const time = match && template.time(match, text, { now, zone: this.#rules.timeZone, clock: this.#clock });
    if (time !== undefined) this.#meaning = { text: text.slice(0, end), minute: minuteNow, time };
    return time;
  }

  #keep(time: number): void {
    this.#lastTime = time;
    this.#passed = undefined;
  }

  /** The last known date, if it is less than a minute old. */
  #recent(now: number): number | undefined {
    this.#settle();
    return this.#lastTime !== undefined && this.#lastTime > now - minute ? this.#lastTime : undefined;
  }

  /** Reads the date of the line that was passed last. */
  #settle(): void {
    const passed = this.#passed;
    if (!passed) return;
    this.#passed = undefined;
    const time = this.#timeOfLead(passed.text, passed.lead, passed.now);
    if (time === undefined) return;
    this.#keep(this.#rules.checkTimes && isOdd(time, passed.now) ? passed.now : time);
  }
}

function uncut(text: string): BufferedLine {
  return { visible: text, logged: text };
}

/** More than a minute off: a log written late, or a wrong zone. */
function isOdd(time: number, now: number): boolean {
  return Math.abs(time - now) >= minute + 1000;
}
