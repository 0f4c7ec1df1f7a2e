import { readFile } from 'node:fs/promises';
import { describe, expect, it, beforeAll } from 'vitest';
import { boundBacktracking } from '../../src/filter/backtracking.ts';
import { compileFilter, type Filter } from '../../src/filter/filter.ts';
import type { LogLine } from '../../src/sources/log-line.ts';
import { builtinFilter, filterNames, modesOf } from '../builtin/builtin-filters.ts';
import { colonSender, sender, type HostileRecord } from './record.ts';
import { hostileRecords } from './records.ts';
import {
  foreignRecords,
  forgeries,
  longTexts,
  numbers,
  onItsOwnLine,
  onItsOwnLineEncoded,
  recordsOf,
  victim,
} from './texts.ts';

const now = Date.parse('2026-11-22T13:44:53Z');
/** Sources keep the head and the tail of longer ones. */
const longestLine = 256 * 1024;
const headLength = 192 * 1024;
const page = new URL('../../docs/jails.md', import.meta.url);

// As the daemon does at its start.
beforeAll(boundBacktracking);

it('there are records for every filter', () => {
  expect(Object.keys(hostileRecords).toSorted()).toEqual(filterNames);
});

describe.each(filterNames)('%s', (name) => {
  it.each(modesOf(name))(
    'mode %s: a client counts whatever it sends, and nobody else does',
    async (mode) => {
      const meeting = new Meeting(name, mode);
      const own = forgeries(await recordsOf(name));
      const others = await foreignRecords();
      for (const [n, record] of hostileRecords[name]!.entries()) {
        const texts = [...longTexts(n + 1), ...own, ...others, ...others.map(onItsOwnLineEncoded)];
        for (const text of texts) meeting.meet(record, text);
      }
      expect(meeting.unseen.slice(0, 5)).toEqual([]);
      expect(meeting.forged.slice(0, 5)).toEqual([]);
    },
    60_000,
  );
});

describe('of lines of 300 KiB, whose middle is left out', () => {
  const pick = numbers(7);
  const text = (unit: string): string => unit.repeat(300 * 1024).slice(0, 300 * 1024);

  it.each(['caddy', 'traefik', 'jellyfin'])('%s still counts the sender', (name) => {
    for (const mode of modesOf(name)) {
      const meeting = new Meeting(name, mode);
      for (const record of hostileRecords[name]!)
        for (const unit of ['a', '"', '\\', '\u00e9', ' ']) meeting.meet(record, text(unit), true);
      expect(meeting.unseen).toEqual([]);
      expect(meeting.forged).toEqual([]);
    }
  });

  it('nothing is forged by what the cut leaves', async () => {
    for (const name of filterNames) {
      const meeting = new Meeting(name, modesOf(name).at(-1)!);
      const [own = ''] = await recordsOf(name);
      for (const record of hostileRecords[name]!)
        for (const at of [headLength, longestLine])
          meeting.meet(record, text('a').slice(0, at - 300 + pick(300)) + own.repeat(3) + text('a'), true);
      expect(meeting.forged).toEqual([]);
    }
  });
});

it('whole lines are forged by clients of those programs only that the documentation names', async () => {
  const forged: string[] = [];
  for (const name of filterNames) {
    const meetings = modesOf(name).map((mode) => new Meeting(name, mode));
    const records = await recordsOf(name);
    for (const record of hostileRecords[name]!)
      for (const text of [...records, ...records.map(onItsOwnLine)])
        for (const meeting of meetings) meeting.meet({ ...record, forgeable: false }, text);
    if (meetings.some((meeting) => meeting.forged.length > 0)) forged.push(name);
  }
  const [, table = ''] =
    /## Whole lines from clients\n([^]*?)(?:\n## |$)/.exec(await readFile(page, 'utf8')) ?? [];
  const named = [...table.matchAll(/^\| (.+?) \|/gm)].flatMap(([, cell]) => [
    ...cell!.matchAll(/`([\w-]+)`/g),
  ]);
  expect(forged).toEqual(named.map(([, jail]) => jail!).toSorted());
});

/** A filter, and what it made of the lines that it met. */
class Meeting {
  /** Lines that should have counted. */
  readonly unseen: string[] = [];
  /** Lines that counted against somebody else. */
  readonly forged: string[] = [];
  readonly #filter: Filter;
  readonly #stream: LogLine['stream'];
  readonly #mode: string;

  constructor(name: string, mode: string) {
    const spec = builtinFilter(name, new Map([['mode', mode]]));
    this.#mode = mode;
    this.#stream = spec.stream;
    this.#filter = compileFilter(spec, { clock: () => now });
  }

  /** @param cut whether a line that is too long is met as sources cut it */
  meet(record: HostileRecord, text: string, cut = false): void {
    const { line, stream, counts, longest = Infinity, most, forgeable = false } = record;
    // As matching does.
    if (this.#stream !== undefined && stream !== undefined && stream !== this.#stream) return;
    const whole = line(text.slice(0, most));
    if (whole.length > longestLine && !cut) return;
    const lines = whole.split('\n');
    const expected = counts !== undefined && (counts === 'normal' || this.#mode === 'aggressive');
    for (const deliver of whole.length > 10_000 ? deliveries.slice(0, 1) : deliveries) {
      const ids = lines.flatMap((one) => this.#process(cutLine(deliver(one))));
      if (!forgeable && ids.includes(victim)) this.forged.push(shown(whole));
      if (ids.some((id) => ![sender, colonSender, victim].includes(id))) this.forged.push(shown(whole));
      if (expected && lines.length === 1 && whole.length < longest - 1 && !ids.includes(sender))
        this.unseen.push(shown(whole));
    }
  }

  #process(line: LogLine): string[] {
    return this.#filter.process(line, now).map(({ id }) => id);
  }
}

const deliveries: readonly ((text: string) => LogLine)[] = [
  (text) => ({ text, time: undefined, dateRemoved: false }),
  (text) => ({ text, time: now, dateRemoved: false }),
  (text) => ({ text: ` host web[12]: ${text}`, time: now, dateRemoved: true }),
];

function cutLine(line: LogLine): LogLine {
  const { text } = line;
  if (text.length <= longestLine) return line;
  const tail = text.slice(headLength - longestLine);
  return { ...line, text: text.slice(0, headLength) + tail, cut: headLength };
}

function shown(line: string): string {
  return line.length <= 700 ? line : `${line.length}: ${line.slice(0, 300)} … ${line.slice(-300)}`;
}
