import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DockerLogStream } from '../../../src/sources/docker/log-stream.ts';
import type { LogLine } from '../../../src/sources/log-line.ts';
import { DockerProgress } from '../../../src/sources/docker/progress.ts';
import { encode, messagesOf, stampOf, type FakeMessage } from './fake-container-log.ts';

const base = 1_795_355_093_000_000_000n;
const epoch = { seconds: 0, nanos: 0 };

/** Reads a stream in chunks of these sizes (the last one again and again). */
function readAll(tty: boolean, bytes: Buffer, sizes: readonly number[], ended = true) {
  const stream = new DockerLogStream(tty, DockerProgress.from(epoch));
  const lines: { text: string; time: number | undefined }[] = [];
  let cutLines = 0;
  const take = (batch: ReturnType<DockerLogStream['accept']>): void => {
    lines.push(...(batch?.lines ?? []).map(({ text, time }) => ({ text, time })));
    cutLines += batch?.cutLines ?? 0;
  };
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[Math.min(i, sizes.length - 1)] ?? bytes.length;
    take(stream.accept(Buffer.from(bytes.subarray(at, at + size))));
    at += size;
  }
  if (ended) take(stream.end());
  return { lines, cutLines, problem: stream.problem };
}

function bytesOf(messages: readonly FakeMessage[], tty = false): Buffer {
  return Buffer.concat(messages.map((message) => encode(message, tty)));
}

const sizes = fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 30 });
const lineText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 60 }).map((text) => text.replaceAll(/[\r\n]/g, '')),
  fc.integer({ min: 16_000, max: 100_000 }).map((length) => 'x'.repeat(length)),
);
const record = fc.record({ stream: fc.constantFrom(1 as const, 2 as const), text: lineText });

describe('a log without terminal', () => {
  it('gives lines with their times, stdout and stderr as they come', () => {
    const { lines, problem } = readAll(
      false,
      bytesOf([
        { stream: 1, time: base + 123_456_789n, text: 'out\n' },
        { stream: 2, time: base + 2_000_000_000n, text: 'err\r\n' },
        { stream: 1, time: base + 2_000_000_001n, text: '\n' },
      ]),
      [5],
    );
    const ms = Number(base / 1_000_000n);
    expect(lines).toEqual([
      { text: 'out', time: ms + 123 },
      { text: 'err', time: ms + 2000 },
      { text: '', time: ms + 2000 },
    ]);
    expect(problem).toBeUndefined();
  });

  it('puts lines together from 16 KiB pieces, also when the other stream logs in between', () => {
    const long = 'a'.repeat(40_000);
    const [first, second, third] = messagesOf(1, base, long);
    const other = { stream: 2, time: base + 1n, text: 'between\n' } as const;
    const { lines } = readAll(false, bytesOf([first!, other, second!, third!]), [7777]);
    expect(lines.map(({ text }) => text)).toEqual(['between', long]);
  });

  it.each([40_000, 32_768])(
    "ends a line of %i bytes whose last piece lacks the newline, as the driver local's",
    (length) => {
      const messages = messagesOf(1, base, 'a'.repeat(length)).map(({ text, ...rest }) => ({
        ...rest,
        text: String(text).trimEnd(),
      }));
      const next = { stream: 1, time: base + 1n, text: 'next\n' } as const;
      const lengths = (ended: boolean, ...more: FakeMessage[]) =>
        readAll(false, bytesOf([...messages, ...more]), [999], ended).lines.map(({ text }) => text.length);
      expect(lengths(false)).toEqual([length]);
      expect(lengths(true, next)).toEqual([length, 4]);
    },
  );

  it('ends a line without newline where the container ended: before its next start, or at the end', () => {
    const messages = [
      ...messagesOf(1, base, 'no newline', false),
      { stream: 1, time: base + 9n, text: 'next start\n' } as const,
      ...messagesOf(2, base + 10n, 'the end', false),
    ];
    expect(readAll(false, bytesOf(messages), [3]).lines.map(({ text }) => text)).toEqual([
      'no newline',
      'next start',
      'the end',
    ]);
  });

  it('keeps beginning and end of a very long line, and says where it was cut', () => {
    const line = `begin ${'é'.repeat(150_000)} end`;
    for (const shift of ['', 'x']) {
      const stream = new DockerLogStream(false, DockerProgress.from(epoch));
      const batch = stream.accept(bytesOf(messagesOf(1, base, shift + line)))!;
      const [{ text, cut }] = batch.lines as [LogLine];
      expect(batch.cutLines).toBe(1);
      expect(text.slice(0, cut)).toMatch(/^x?begin é+$/);
      expect(text.slice(cut)).toMatch(/^é+ end$/);
      expect(Buffer.byteLength(text)).toBeGreaterThan(262_000);
    }
  });

  it('takes no piece for a line where pieces are missing', () => {
    const long = messagesOf(1, base, `${'a'.repeat(16_384)}forged`);
    const next = { stream: 1, time: base + 9n, text: 'next\n' } as const;
    const last = { stream: 1, time: base + 10n, text: 'last\n' } as const;
    const read = (messages: readonly FakeMessage[], isTail: boolean): LogLine[] => {
      const stream = new DockerLogStream(false, DockerProgress.from(epoch), isTail);
      const first = stream.accept(bytesOf(messages))?.lines ?? [];
      return [...first, ...(stream.end()?.lines ?? [])];
    };
    // The last messages of a log, which begin within a line.
    expect(read([long[1]!, next], true).map(({ text }) => text)).toEqual(['next']);
    // Its container was killed within it; or pieces with timestamps of their own, as Docker before 18.06 made them.
    for (const behind of [next, { ...long[1]!, time: base + 1n }]) {
      const lines = read([long[0]!, behind, last], false);
      expect(lines.map(({ text, cut }) => [text.length, cut])).toEqual([
        [16_384, 16_384],
        [4, undefined],
      ]);
      expect(lines[1]!.text).toBe('last');
    }
    expect(read([long[0]!], false)).toMatchObject([{ cut: 16_384 }]);
  });

  it('gives the same lines however the bytes are split', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 12 }), sizes, (records, chunks) => {
        const messages = records.flatMap(({ stream, text }, i) => messagesOf(stream, base + BigInt(i), text));
        const whole = readAll(false, bytesOf(messages), [Infinity]);
        expect(whole.lines.map(({ text }) => text)).toEqual(records.map(({ text }) => text));
        expect(readAll(false, bytesOf(messages), chunks)).toEqual(whole);
      }),
      { numRuns: 60 },
    );
  });

  it('never throws on garbage, and says that it is none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), sizes, (garbage, chunks) => {
        const { lines, problem } = readAll(false, Buffer.from(garbage), chunks);
        expect(lines).toEqual([]);
        if (garbage.length >= 8 && (garbage[0]! > 3 || garbage[1]! > 0))
          expect(problem).toBe('its log has no frames');
      }),
    );
  });

  it('never throws on a log with damaged bytes, and keeps lines apart', () => {
    fc.assert(
      fc.property(
        fc.array(record, { minLength: 1, maxLength: 5 }),
        fc.nat(),
        fc.integer({ min: 0, max: 255 }),
        sizes,
        (records, at, byte, chunks) => {
          const bytes = bytesOf(
            records.flatMap(({ stream, text }, i) => messagesOf(stream, base + BigInt(i), text)),
          );
          bytes[at % bytes.length] = byte;
          for (const { text } of readAll(false, bytes, chunks).lines) expect(text).not.toContain('\n');
        },
      ),
      { numRuns: 60 },
    );
  });

  it("takes the engine's own message for its problem, never for a line", () => {
    const messages: FakeMessage[] = [
      { stream: 1, time: base, text: 'good\n' },
      { stream: 3, time: 0n, text: "Error grabbing logs: invalid character '\\x00'\n" },
    ];
    const { lines, problem } = readAll(false, bytesOf(messages), [10]);
    expect(lines.map(({ text }) => text)).toEqual(['good']);
    expect(problem).toBe("Error grabbing logs: invalid character '\\x00'");
  });

  it('reads the timestamps of other engines: fewer digits, a zone', () => {
    const frames = [
      '2026-11-22T13:44:53+01:00 a\n',
      '2026-11-22T13:44:53.5Z b\n',
      '2026-13-22T13:44:53.000000000Z c\n',
    ];
    const { lines, problem } = readAll(
      false,
      Buffer.concat(
        frames.map((text) => encode({ stream: 3, time: 0n, text }, false)).map((f) => ((f[0] = 1), f)),
      ),
      [50],
    );
    expect(lines).toEqual([
      { text: 'a', time: Date.UTC(2026, 10, 22, 12, 44, 53) },
      { text: 'b', time: Date.UTC(2026, 10, 22, 13, 44, 53, 500) },
    ]);
    expect(problem).toContain('2026-13-22');
  });
});

describe('a log with terminal', () => {
  it('gives the same lines however the bytes are split', () => {
    fc.assert(
      fc.property(fc.array(lineText, { maxLength: 12 }), sizes, (texts, chunks) => {
        const messages = texts.flatMap((text, i) => messagesOf(1, base + BigInt(i), text));
        const { lines, problem } = readAll(true, bytesOf(messages, true), chunks);
        expect(lines.map(({ text }) => text)).toEqual(texts);
        expect(problem).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  it('never throws on garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), sizes, (garbage, chunks) => {
        expect(readAll(true, Buffer.from(garbage), chunks).lines).toEqual([]);
      }),
    );
  });

  it('does not believe a timestamp within a line', () => {
    const forged = `GET /${stampOf(base)} Failed password for root from 198.51.100.1`;
    const { lines } = readAll(true, bytesOf(messagesOf(1, base + 7n, forged), true), [11]);
    expect(lines.map(({ text }) => text)).toEqual([forged]);
  });
});

describe('a line without end', () => {
  it.each([
    ['of NULs', false, Buffer.alloc(16_384)],
    ['of text', false, Buffer.alloc(16_384, 'A')],
    ['of NULs in a terminal', true, Buffer.alloc(16_384)],
  ])('%s, 100 MB long, is one cut line and holds no memory', (_, tty, piece) => {
    const stream = new DockerLogStream(tty, DockerProgress.from(epoch));
    const bytes = encode({ stream: 1, time: base, text: piece }, tty);
    let lines = 0;
    let cutLines = 0;
    const count = (batch: ReturnType<DockerLogStream['accept']>): void => {
      lines += batch?.lines.length ?? 0;
      cutLines += batch?.cutLines ?? 0;
      for (const { text } of batch?.lines ?? []) expect(text.length).toBeLessThanOrEqual(262_144);
    };
    const before = process.memoryUsage();
    for (let sent = 0; sent < 100_000_000; sent += piece.length) count(stream.accept(bytes));
    const after = process.memoryUsage();
    count(stream.accept(encode({ stream: 1, time: base, text: '\n' }, tty)));
    count(stream.accept(encode({ stream: 1, time: base + 1n, text: 'next\n' }, tty)));
    count(stream.end());
    expect({ lines, cutLines }).toEqual({ lines: 2, cutLines: 1 });
    const held = after.arrayBuffers + after.external - before.arrayBuffers - before.external;
    expect(held).toBeLessThan(4_000_000);
  });

  it('in one frame that claims 4 GiB is not believed either', () => {
    const stream = new DockerLogStream(false, DockerProgress.from(epoch));
    const start = Buffer.concat([
      Buffer.from([1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]),
      Buffer.from(`${stampOf(base)} `),
    ]);
    stream.accept(start);
    const chunk = Buffer.alloc(65_536, 'a');
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 1000; i++) expect(stream.accept(chunk)).toBeUndefined();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2_000_000);
    expect(stream.problem).toBeUndefined();
  });
});
