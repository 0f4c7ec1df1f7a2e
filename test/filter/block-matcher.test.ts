import { describe, expect, it } from 'vitest';
import { BlockMatcher, type TakeFailures } from '../../src/filter/block-matcher.ts';
import { compileFilter } from '../../src/filter/filter.ts';
import type { FilterSpec } from '../../src/filter/spec.ts';
import { specOf } from './specs.ts';

const now = Date.UTC(2026, 10, 22, 12);
const stamp = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
const rules = { logTimeZone: 0 };

/** Ids and seconds before now, by filter. */
function match(
  filters: readonly Partial<FilterSpec>[],
  blocks: readonly (string | Buffer)[],
  {
    live = true,
    encoding = 'utf-8',
    findtime = 600,
    by,
  }: { live?: boolean; encoding?: string; findtime?: number; by?: number | undefined } = {},
): string[] {
  const matcher = new BlockMatcher(
    filters.map((one) => compileFilter(specOf([], { ...rules, ...one }), { findtime, clock: () => now })),
    encoding,
  );
  const found: string[] = [];
  for (const block of blocks) {
    const take: TakeFailures = (index, failures) => {
      for (const { id, time } of failures) found.push(`${index} ${id} ${(now - time) / 1000}`);
    };
    matcher.match(Buffer.from(block), { now, live, by }, take);
  }
  return found;
}

const bad = { failregex: ['^ bad login from <HOST>$'] };
const line = (address: string, secondsAgo = 0): string =>
  `${stamp(now - secondsAgo * 1000)} bad login from ${address}\n`;

describe('blocks of lines', () => {
  it('are searched for several filters at once', () => {
    const other = { failregex: ['^ (?:bad|odd) login from <HOST>$', '^ lost connection with <HOST>$'] };
    const none = { failregex: ['^ never seen from <HOST>$'] };
    const text = line('192.0.2.1') + line('192.0.2.2').replace('bad', 'odd') + line('192.0.2.3');
    expect(match([bad, none, other], [text])).toEqual([
      '0 192.0.2.1 0',
      '2 192.0.2.1 0',
      '2 192.0.2.2 0',
      '0 192.0.2.3 0',
      '2 192.0.2.3 0',
    ]);
  });

  it('give a line without a date the time of the one before, in this block or an earlier one', () => {
    const undated = 'bad login from 192.0.2.1\n';
    const one = { failregex: ['bad login from <HOST>$'] };
    const dated = `${stamp(now - 30_000)} all is well\n`;
    expect(match([one], [dated + undated])).toEqual(['0 192.0.2.1 30']);
    expect(match([one], [dated, undated])).toEqual(['0 192.0.2.1 30']);
    expect(match([one], [`${dated}no date\nnone either\n`, undated])).toEqual(['0 192.0.2.1 30']);
    expect(match([one], [undated])).toEqual(['0 192.0.2.1 0']);
  });

  it('of since an earlier run count without a date, too: at the last date, or when the log was written last', () => {
    const undated = 'bad login from 192.0.2.1\n';
    const one = { failregex: ['bad login from <HOST>$'] };
    const dated = (secondsAgo: number): string => `${stamp(now - secondsAgo * 1000)} all is well\n`;
    const since = (text: string, by: number | undefined): string[] =>
      match([one], [text], { live: false, by });
    expect(since(undated, undefined)).toEqual([]);
    expect(since(undated, now - 100_000)).toEqual(['0 192.0.2.1 100']);
    expect(since(undated, now + 5000)).toEqual(['0 192.0.2.1 0']);
    // Nobody knows when, but that it is too long ago.
    expect(since(undated, now - 700_000)).toEqual([]);
    expect(since(dated(300) + undated, now - 100_000)).toEqual(['0 192.0.2.1 300']);
    expect(since(`${dated(300)}none\n${undated}`, now - 100_000)).toEqual(['0 192.0.2.1 300']);
    expect(since(dated(700) + undated, now - 100_000)).toEqual([]);
    expect(since(undated + dated(300), now - 100_000)).toEqual(['0 192.0.2.1 100']);
    expect(since(line('192.0.2.2', 200), now - 100_000)).toEqual(['0 192.0.2.2 200']);
  });

  it('of before the start count at their own time, if that is not too long ago', () => {
    const text = line('192.0.2.1', 700) + line('192.0.2.2', 500);
    expect(match([bad], [text], { live: false })).toEqual(['0 192.0.2.2 500']);
  });

  it('may be of any length, with CRLF, non-ASCII, bytes that are no UTF-8, and long lines', () => {
    const innocent = Array.from({ length: 3000 }, (_, i) => `${stamp(now)} accepted 198.51.100.${i % 250}\n`);
    const odd = [`${'ü'.repeat(100)}\n`, `${'x'.repeat(200_000)} bad login from 192.0.2.9\n`, '\n'];
    const text =
      innocent.join('') + line('192.0.2.1').replace('\n', '\r\n') + odd.join('') + line('192.0.2.2');
    const latin = Buffer.concat([
      Buffer.from(text),
      Buffer.from([0xff, 0xfe, 0x0a]),
      Buffer.from(line('192.0.2.3')),
    ]);
    expect(match([bad], [latin])).toEqual(['0 192.0.2.1 0', '0 192.0.2.2 0', '0 192.0.2.3 0']);
  });

  it('are read in their encoding', () => {
    const greedy = { failregex: ['^ für <HOST>$', '^ login for <F-USER>Jörg</F-USER> from <HOST>$'] };
    const text = `${stamp(now)} für 192.0.2.1\n${stamp(now)} login for Jörg from 192.0.2.2\n`;
    const expected = ['0 192.0.2.1 0', '0 192.0.2.2 0'];
    expect(match([greedy], [text])).toEqual(expected);
    expect(match([greedy], [Buffer.from(text, 'latin1')], { encoding: 'iso-8859-1' })).toEqual(expected);
    const japanese = Buffer.from(line('192.0.2.3'));
    expect(match([bad], [japanese], { encoding: 'shift_jis' })).toEqual(['0 192.0.2.3 0']);
  });

  it('lose nothing when a better needle is learnt on the way', () => {
    const filter = { failregex: ['^ an extraordinary request from <HOST> denied$'] };
    const innocent = `${stamp(now)} an extraordinary request from 198.51.100.7 granted\n`.repeat(2000);
    const denied = `${stamp(now)} an extraordinary request from 192.0.2.1 denied\n`;
    expect(match([filter], [denied + innocent, denied, innocent + denied])).toEqual(
      Array<string>(3).fill('0 192.0.2.1 0'),
    );
  });

  it('work for filters that need every line', () => {
    const lines = { failregex: ['^ begin$<SKIPLINES>^ end of <HOST>$'], maxlines: 5 };
    const free = { failregex: ['^.*\\b<ADDR>\\b.*$'] };
    const pattern = { failregex: ['^bad from <HOST>$'], datepattern: String.raw`^%Y-%m-%d %H:%M:%S\s` };
    const at = stamp(now);
    const text = `${at} begin\n${at} bad from 192.0.2.1\n${at} end of 192.0.2.2\n`;
    expect(match([lines, free, pattern], [text]).toSorted()).toEqual([
      '0 192.0.2.2 0',
      '1 192.0.2.1 0',
      '1 192.0.2.2 0',
      '2 192.0.2.1 0',
    ]);
  });
});
