import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { atOnce, Following, noLooks, second, start, startMs, short } from './docker-following.ts';
import { FakeContainerLog, type FakeMessage, messagesOf } from './fake-container-log.ts';

const written = fc.array(
  fc.record({
    stream: fc.constantFrom(1 as const, 2 as const),
    /** Nanoseconds after the line before, of either stream; stderr is written a little late. */
    gap: fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 3n * second }), fc.constant(20n * second)),
    late: fc.bigInt({ min: 0n, max: 4n * second }),
    length: fc.oneof(fc.constant(10), fc.constant(10), fc.integer({ min: 16_300, max: 40_000 })),
  }),
  { maxLength: 30 },
);

/**
 * A log in the order in which it was written: each stream in the order of its own times, stderr behind; while a long line is
 * written to one, the other goes on.
 */
function logOf(records: typeof written extends fc.Arbitrary<infer T> ? T : never): {
  messages: FakeMessage[];
  texts: string[];
} {
  const last: Record<1 | 2, bigint> = { 1: start, 2: start };
  const open: Record<1 | 2, FakeMessage[]> = { 1: [], 2: [] };
  let time = start;
  const texts: string[] = [];
  const messages: FakeMessage[] = [];
  for (const [i, { stream, gap, late, length }] of records.entries()) {
    time += gap;
    const stamp = stream === 1 ? time : time - late > last[2] ? time - late : last[2];
    last[stream] = stamp;
    texts.push(`${stream}:${i}:`.padEnd(length, 'x'));
    const [first, ...more] = messagesOf(stream, stamp, texts.at(-1)!);
    messages.push(...open[stream], first!);
    open[stream] = more;
  }
  return { messages: [...messages, ...open[1], ...open[2]], texts };
}

describe('resuming', () => {
  it('loses no line and repeats none, over connections cut at any byte and restarts behind any batch', async () => {
    await fc.assert(
      fc.asyncProperty(
        written,
        fc.boolean(),
        fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 6 }),
        fc.integer({ min: 1, max: 20_000 }),
        fc.integer({ min: 1, max: 5 }),
        async (records, tty, cuts, chunk, restartEvery) => {
          const log = new FakeContainerLog();
          log.tty = tty;
          log.isRunning = true;
          const { messages, texts } = logOf(
            records.map((one) => (tty ? { ...one, stream: 1 as const } : one)),
          );
          const split = Math.floor(messages.length / 2);
          log.messages = messages.slice(0, split);
          const todo = [...cuts];
          log.next = () => {
            const cutAfter = todo.shift();
            // Meanwhile the container has gone on.
            log.messages = messages.slice(0, Math.max(log.messages.length, messages.length - todo.length));
            return { chunk: () => chunk, ...(cutAfter !== undefined && { cutAfter }) };
          };
          const seen: string[] = [];
          let after: string | undefined;
          for (let run = 0; seen.length < texts.length && run < 200; run++) {
            const options = { ...atOnce(), stallTiming: noLooks, ...(after !== undefined && { after }) };
            const following = new Following(log, options, restartEvery);
            await following.until(
              () => following.hasEnded || seen.length + following.texts.length >= texts.length,
            );
            await following.end();
            seen.push(...following.texts.map(short));
            after = following.position ?? after;
          }
          // What it would bring if it went on.
          const rest = new Following(log, {
            ...atOnce(),
            stallTiming: noLooks,
            ...(after !== undefined && { after }),
          });
          log.stop();
          const opened = log.opened.length;
          await rest.until(() => log.opened.length > opened + 1);
          await rest.end();
          for (const stream of ['1:', '2:']) {
            const of = (all: readonly string[]): string[] => all.filter((text) => text.startsWith(stream));
            expect(of([...seen, ...rest.texts.map(short)])).toEqual(of(texts).map(short));
          }
        },
      ),
      { numRuns: 100 },
    );
  }, 60_000);

  it('goes back a few seconds at most, however long one stream has been quiet', async () => {
    const log = new FakeContainerLog();
    log.messages = [
      ...messagesOf(2, start, 'an error long ago'),
      ...messagesOf(1, start + 3600n * second, 'now'),
    ];
    const before = new Following(log, {}, 2);
    await before.done;
    log.opened.length = 0;
    await new Following(log, { after: before.position! }).end();
    expect(Number(log.opened[0]!.since)).toBeGreaterThan(startMs / 1000 + 3590);
  });

  it('brings a line that was begun before and ended after, whole', async () => {
    const log = new FakeContainerLog();
    log.isRunning = true;
    const long = messagesOf(1, start, 'y'.repeat(20_000));
    log.messages = [long[0]!, ...messagesOf(2, start + 60n * second, 'meanwhile')];
    const first = new Following(log);
    await first.until(() => first.texts.length === 1);
    await first.end();
    log.write(long[1]!);
    const then = new Following(log, { after: first.position! });
    await then.until(() => then.texts.length > 0);
    await then.end();
    expect([...first.texts, ...then.texts].map((text) => text.length)).toEqual([9, 20_000]);
  });

  it("does not swallow a terminal's next line where the container ended without newline", async () => {
    const log = new FakeContainerLog();
    log.tty = true;
    log.messages = messagesOf(1, start, '$ ', false);
    const following = new Following(log, atOnce());
    await following.until(() => following.texts.length === 1);
    log.messages.push(...messagesOf(1, start + second, 'started again'));
    await following.until(() => following.texts.length === 2);
    await following.end();
    expect(following.texts).toEqual(['$ ', 'started again']);
  });

  it('goes on with the clock when that is set back', async () => {
    const log = new FakeContainerLog();
    log.isRunning = true;
    log.messages = messagesOf(1, start + 7200n * second, 'wrong clock');
    const following = new Following(log, atOnce());
    await following.until(() => following.texts.length === 1);
    log.write(...messagesOf(1, start, 'right clock'));
    await following.until(() => following.texts.length === 2);
    log.opened.length = 0;
    log.stop();
    await following.until(() => log.opened.length > 0);
    await following.end();
    expect(Number(log.opened[0]!.since)).toBeLessThan(startMs / 1000 + 1);
  });

  it.each([
    '',
    'x',
    '1795355093.1+1',
    '1795355093.000000001+1 2',
    '1.000000001+1 1.000000001+1 1.000000001+1',
  ])('treats %j as no position, and says so', async (after) => {
    const log = new FakeContainerLog();
    log.messages = messagesOf(1, start, 'line');
    const following = new Following(log, { after, since: startMs - 600_000 }, 1);
    await following.done;
    expect(following.updates).toMatchObject([
      { type: 'position-invalid', position: after },
      { type: 'lines' },
    ]);
    expect(log.opened[0]!.since).toBe(`${startMs / 1000 - 600}.000000000`);
  });
});
