import type { FoundLead } from './detector.ts';
import type { DateTemplate } from './template.ts';

const minute = 60_000;
/** Minutes: time zones differ by multiples of it. */
const zoneStep = 15;
const zero = 0x30;
const colon = 0x3a;

/** What the last date at the begin of a line meant: under load many lines have the same, or one of the same minute. */
export class LastDate {
  #template: DateTemplate | undefined;
  #text = '';
  #time = 0;
  /** The minute in which it was read. */
  #readIn = 0;
  /** The text without the seconds that it ends with; undefined: it ends otherwise. */
  #untilSeconds: string | undefined;
  /** When its minute began. */
  #minuteStart = 0;

  /** @returns undefined: it has to be read */
  timeOf(text: string, { template, end }: FoundLead, now: number): number | undefined {
    if (template !== this.#template || Math.floor(now / minute) !== this.#readIn) return undefined;
    if (end !== this.#text.length) return undefined;
    const date = text.slice(0, end);
    if (date === this.#text) return this.#time;
    if (date.slice(0, -2) !== this.#untilSeconds) return undefined;
    const [tens, ones] = [date.charCodeAt(end - 2) - zero, date.charCodeAt(end - 1) - zero];
    const isSecond = tens >= 0 && tens <= 5 && ones >= 0 && ones <= 9;
    return isSecond ? this.#minuteStart + (tens * 10 + ones) * 1000 : undefined;
  }

  /** @param time that was read, epoch milliseconds */
  keep(text: string, { template, end }: FoundLead, now: number, time: number): void {
    const date = text.slice(0, end);
    this.#template = template;
    this.#text = date;
    this.#time = time;
    this.#readIn = Math.floor(now / minute);
    // Which day or year a date without one is of depends on whether it is ahead of now, or of now tomorrow.
    const near = (Math.floor(time / minute) - this.#readIn) % zoneStep === 0;
    const seconds = endsInSeconds(date);
    this.#untilSeconds = template.nearSighted && seconds && !near ? date.slice(0, -2) : undefined;
    this.#minuteStart = Math.floor(time / minute) * minute;
  }
}

/** Whether a default template's date ends in minutes and seconds, rather than in a zone. */
function endsInSeconds(date: string): boolean {
  const { length } = date;
  return date.charCodeAt(length - 3) === colon && date.charCodeAt(length - 6) === colon;
}
