import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineBuffer } from '../../../src/sources/file/line-buffer.ts';
import { mostLineBytes } from '../../../src/text/long-line.ts';

/** Feeds bytes in chunks of the given sizes, as reads of a file would. */
function feed(buffer: LineBuffer, bytes: Buffer, sizes: readonly number[] = []): string {
  let text = '';
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const free = buffer.free;
    const size = Math.min(sizes[turn % (sizes.length || 1)] ?? free.length, free.length, bytes.length - at);
    bytes.copy(free, 0, at, at + size);
    text += buffer.accept(size).toString();
    at += size;
  }
  return text;
}

const whole = mostLineBytes;

describe('lines', () => {
  it('come out whole however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme' }).map((line) => line.replaceAll(/[\n\0]/g, ' '))),
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
        fc.boolean(),
        (lines, sizes, isTerminated) => {
          const buffer = new LineBuffer();
          const terminated = lines.map((line) => `${line}\n`).join('');
          const bytes = Buffer.from(isTerminated ? terminated : terminated.slice(0, -1));
          expect(feed(buffer, bytes, sizes) + buffer.flush().toString()).toBe(
            !isTerminated && lines.at(-1) === '' ? terminated.slice(0, -1) : terminated,
          );
        },
      ),
    );
  });

  it.each([
    ['of 256 KiB stay whole', [whole], [whole]],
    ['longer by a byte are cut', [whole + 1], [whole]],
    ['of a megabyte are cut', [5, 1_000_000, 7], [5, whole, 7]],
    [
      'before, between and after long ones are whole',
      [1, whole + 9, 2, 300_000, whole, 3, 70_000, 4],
      [1, whole, 2, whole, whole, 3, 70_000, 4],
    ],
  ])('%s', (_, lengths, expected) => {
    const bytes = Buffer.from(lengths.map((length, i) => `${String(i).repeat(length)}\n`).join(''));
    for (const sizes of [[], [1000], [65_536], [65_537], [99_991]]) {
      const buffer = new LineBuffer();
      const lines = feed(buffer, bytes, sizes).split('\n').slice(0, -1);
      expect(lines.map((line) => line.length)).toEqual(expected);
      expect(lines.map((line) => line[0])).toEqual(lengths.map((__, i) => String(i)));
      expect(buffer.cutLines).toBe(lengths.filter((length) => length > whole).length);
    }
  });

  it('with bytes that are no UTF-8 have replacement characters there', () => {
    expect(feed(new LineBuffer(), Buffer.from([0x61, 0xff, 0xc3, 0x0a, 0xe2, 0x82, 0xac, 0x0a]))).toBe(
      'a\ufffd\ufffd\n€\n',
    );
  });

  it('keep NULs inside and lose a hole before them', () => {
    const hole = Buffer.alloc(700_000);
    expect(feed(new LineBuffer(), Buffer.concat([hole, Buffer.from('a\0b\n')]))).toBe('a\0b\n');
  });
});

describe('a line whose beginning is unknown', () => {
  it('is skipped', () => {
    const buffer = new LineBuffer();
    buffer.skipLine();
    expect(feed(buffer, Buffer.from('rest of a line\nnext\n'), [3])).toBe('next\n');
  });

  it('is dropped with what is held of it', () => {
    const buffer = new LineBuffer();
    expect(feed(buffer, Buffer.from('one\npart of'))).toBe('one\n');
    expect(buffer.held).toBe('part of'.length);
    buffer.skipLine();
    expect(buffer.inLine).toBe(true);
    expect(feed(buffer, Buffer.from(' two\nthree\n'))).toBe('three\n');
    expect(buffer.inLine).toBe(false);
  });

  it('is none once all is forgotten', () => {
    const buffer = new LineBuffer();
    feed(buffer, Buffer.from('one\npart of'));
    buffer.clear();
    expect(feed(buffer, Buffer.from('two\n'))).toBe('two\n');
  });
});
