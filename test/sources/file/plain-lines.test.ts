import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PlainLines } from '../../../src/sources/file/plain-lines.ts';

const plain = (bytes: string | Buffer, encoding?: string): string =>
  new PlainLines(encoding).of(Buffer.from(bytes)).toString();

/** Every other byte order. */
const swapped = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();

describe('plain lines', () => {
  it.each([
    ['a\nb\n', 'a\nb\n'],
    ['a\r\nb\r\n', 'a\nb\n'],
    ['a\r\r\n\r\nb\n', 'a\n\nb\n'],
    ['a\rb\r\n\rc\n', 'a\rb\n\rc\n'],
    ['', ''],
  ])('end by a newline alone: %j', (text, wanted) => {
    expect(plain(text)).toBe(wanted);
  });

  it('are not copied if they are plain', () => {
    const bytes = Buffer.from('a\rb\n');
    expect(new PlainLines('latin1').of(bytes)).toBe(bytes);
  });

  it('of any bytes are those without what stands before newlines', () => {
    const text = fc.string({ unit: fc.constantFrom('\r', '\n', 'x', 'ä'), maxLength: 40 });
    fc.assert(
      fc.property(text, (one) => {
        expect(plain(one)).toBe(one.replaceAll(/\r+\n/g, '\n'));
      }),
    );
  });

  it('are UTF-8 where they were UTF-16, however it is cut behind the bytes of newlines', () => {
    const text = '\ufeffeins\r\nzw\u00f6lf \u{1f600}\r\n\nEnde\n';
    const wanted = 'eins\nzw\u00f6lf \u{1f600}\n\nEnde\n';
    for (const [encoding, bytes] of [
      ['utf-16le', Buffer.from(text, 'utf16le').subarray(0, -1)],
      ['utf-16be', swapped(text)],
    ] as const) {
      const lines = new PlainLines(encoding);
      expect(lines.encoding).toBe('utf-8');
      expect(lines.of(bytes).toString()).toBe(wanted);
      for (let cut = bytes.indexOf(10) + 1; cut > 0; cut = bytes.indexOf(10, cut) + 1) {
        const parts = [bytes.subarray(0, cut), bytes.subarray(cut)].filter(({ length }) => length > 0);
        expect(parts.map((part) => lines.of(part).toString()).join('')).toBe(wanted);
      }
    }
  });

  it('begin with no byte of the newline before, also where it was passed over', () => {
    const bytes = Buffer.from('a\nb\n', 'utf16le');
    expect(plain(bytes.subarray(3, -1), 'utf-16le')).toBe('b\n');
    expect(plain(bytes.subarray(4, -1), 'utf-16')).toBe('b\n');
    const wide = Buffer.from('\u0100b\n', 'utf16le');
    expect(plain(wide.subarray(1, -1), 'utf-16')).toBe('\u0100b\n');
    expect(plain(swapped('b\n').subarray(1), 'utf-16be')).toBe('b\n');
  });

  it('are of a known encoding', () => {
    expect(() => new PlainLines('utf-99')).toThrow(RangeError);
    expect(new PlainLines('latin1').encoding).toBe('windows-1252');
  });
});
