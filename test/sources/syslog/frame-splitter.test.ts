import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameSplitter, maxMessageBytes } from '../../../src/sources/syslog/frame-splitter.ts';

function split(chunks: readonly (string | Buffer)[]) {
  const messages: string[] = [];
  const splitter = new FrameSplitter((message) => void messages.push(message.toString('latin1')));
  const fits = chunks.every((chunk) => splitter.accept(Buffer.from(chunk as string, 'latin1')));
  return { messages, fits, cut: splitter.cutMessages };
}

describe('messages of a connection', () => {
  it.each([
    ['<1>a\n<1>b\n', ['<1>a', '<1>b']],
    ['<1>a\n\n<1>b', ['<1>a']],
    ['4 <1>a5 <1>\nb', ['<1>a', '<1>\nb']],
    ['4 <1>a\n4 <1>b', ['<1>a', '<1>b']],
    // Digits that are no length.
    ['4 a\n4 <1>b\n', ['4 a', '4 <1>b']],
    ['2026-11-22\n', ['2026-11-22']],
    ['1234567890 <1>a\n', ['1234567890 <1>a']],
    ['04 <1>a\n', ['04 <1>a']],
    ['4', []],
    ['4 <1', []],
    ['', []],
  ])('%j', (text, messages) => {
    expect(split([text])).toMatchObject({ messages, fits: true });
  });

  it('keeps to the framing of the first: a message can begin no other', () => {
    expect(split(['<1>a\n4 <1>b\n']).messages).toEqual(['<1>a', '4 <1>b']);
    const forged = '<30>Nov 22 13:44:53 victim[1]: x';
    const text = `<1>a\n${forged}`;
    expect(split([`${text.length} ${text}`]).messages).toEqual([text]);
  });

  it('gives up where lengths do not fit, and takes nothing more', () => {
    const { messages, fits } = split(['4 <1>a', '<1>b\n', '<1>c\n4 <1>d']);
    expect({ messages, fits }).toEqual({ messages: ['<1>a'], fits: false });
  });

  it('drops a message without its end if the connection broke', () => {
    expect(split(['<1>a\n<1>198.51.100.6']).messages).toEqual(['<1>a']);
  });

  it.each(['lines', 'counted'])(
    'cuts a message of 100 MB (%s), in bounded memory, and reads the next',
    (framing) => {
      const megabyte = Buffer.alloc(1 << 20, 'x');
      const messages: Buffer[] = [];
      const splitter = new FrameSplitter((message) => void messages.push(Buffer.from(message)));
      if (framing === 'counted') splitter.accept(Buffer.from(`${100 * (1 << 20) + 3} `));
      splitter.accept(Buffer.from('<1>'));
      for (let i = 0; i < 100; i++) splitter.accept(megabyte);
      splitter.accept(Buffer.from(framing === 'counted' ? '4 <1>b' : '\n<1>b\n'));
      expect(messages.map(({ length }) => length)).toEqual([maxMessageBytes, 4]);
      expect(splitter.cutMessages).toBe(1);
    },
  );

  it('are the same however they are split over chunks', () => {
    const message = fc
      .string({ unit: 'binary-ascii', maxLength: 40 })
      .map((text) => `<1>${text.replaceAll('\n', '.')}`);
    const cuts = fc.array(fc.nat(400));
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 8 }),
        fc.boolean(),
        cuts,
        (messages, counted, places) => {
          const text = messages.map((one) => (counted ? `${one.length} ${one}` : `${one}\n`)).join('');
          const points = [0, ...places.map((at) => at % (text.length + 1)), text.length].toSorted(
            (a, b) => a - b,
          );
          const chunks = points.slice(1).map((end, index) => text.slice(points[index], end));
          expect(split(chunks)).toEqual({ messages, fits: true, cut: 0 });
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('never throws nor exceeds its bound, whatever comes', () => {
    const chunk = fc.oneof(
      fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom('9 <', '70000 <1>', '\n', '123456789 <1>').map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(fc.array(chunk), (chunks) => {
        const { messages } = split(chunks);
        expect(messages.every(({ length }) => length > 0 && length <= maxMessageBytes)).toBe(true);
      }),
    );
  });
});
