import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dock2banError } from '../../src/errors.ts';
import {
  type DockerLogOptions,
  type DockerLogUpdate,
  followContainerLog,
} from '../../src/sources/docker-log.ts';
import { Wake } from '../../src/wake.ts';
import { FakeContainerLog, type FakeMessage, messagesOf } from './fake-container-log.ts';

const second = 1_000_000_000n;
const start = 1_795_355_093n * second;
const startMs = Number(start / 1_000_000n);

/** One following of a log: its updates so far. */
class Following {
  readonly updates: DockerLogUpdate[] = [];
  readonly texts: string[] = [];
  position: string | undefined;
  readonly stop = new AbortController();
  readonly done: Promise<void>;
  readonly #changed = new Wake();
  hasEnded = false;

  constructor(log: FakeContainerLog, options: Partial<DockerLogOptions> = {}, stopAt = Infinity) {
    this.done = this.#run(log, options, stopAt);
  }

  get types(): string[] {
    return this.updates.map((update) => (update.type === 'lost' ? update.error.code : update.type));
  }

  async until(condition: () => boolean): Promise<void> {
    for (let i = 0; i < 2000 && !condition(); i++) await this.#changed.wait(5, new AbortController().signal);
    if (!condition())
      throw new Error(`${this.types.join(' ')} | ${this.texts.slice(-5).map(short).join(' ')}`);
  }

  async end(): Promise<this> {
    this.stop.abort();
    await this.done;
    return this;
  }

  async #run(log: FakeContainerLog, options: Partial<DockerLogOptions>, stopAt: number): Promise<void> {
    const { signal } = this.stop;
    const fixed = { logs: log, signal, since: 0, now: () => startMs, random: () => 1 - 1e-9 };
    for await (const update of followContainerLog('c1', { ...fixed, ...options })) {
      this.updates.push(update);
      if (update.type === 'lines') {
        this.texts.push(...update.lines.map(({ text }) => text));
        this.position = update.position;
        if (this.texts.length >= stopAt) break;
      }
      this.#changed.set();
    }
    this.hasEnded = true;
    this.#changed.set();
  }
}

/** Seldom, so that no look falls into a test that isn't about it. */
const noLooks = {
  usual: { first: 1e6, longest: 1e6, grace: 1 },
  afterStall: { first: 1e6, longest: 1e6, grace: 1 },
};
/** Without the waits between tries. */
const atOnce = (): { wake: Wake } => {
  const wake = new Wake();
  const timer = setInterval(() => wake.set(), 1);
  timer.unref();
  return { wake };
};

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

/** What tells long lines apart. */
function short(text: string): string {
  return `${text.slice(0, 8)} of ${text.length}`;
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

describe('following', () => {
  it('tells what was logged before the log was opened from what is logged now', async () => {
    const log = new FakeContainerLog();
    log.isRunning = true;
    log.messages = messagesOf(1, start - second, 'before');
    const following = new Following(log);
    await following.until(() => following.texts.length === 1);
    log.write(...messagesOf(1, start + second, 'first'));
    await following.until(() => following.texts.length === 2);
    log.write(...messagesOf(1, start + 2n * second, 'second'));
    await following.until(() => following.texts.length === 3);
    await following.end();
    expect(following.updates.map((update) => update.type === 'lines' && update.live)).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('goes on when its container starts again, and calls nothing lost', async () => {
    const log = new FakeContainerLog();
    log.isRunning = true;
    const following = new Following(log, atOnce());
    log.write(...messagesOf(1, start, 'one'));
    await following.until(() => following.texts.length === 1);
    log.stop();
    log.messages.push(...messagesOf(1, start + second, 'two'));
    await following.until(() => following.texts.length === 2);
    log.isRunning = true;
    log.write(...messagesOf(1, start + 2n * second, 'three'));
    await following.until(() => following.texts.length === 3);
    await following.end();
    expect(new Set(following.types)).toEqual(new Set(['lines']));
  });

  it('ends when the container is removed', async () => {
    const log = new FakeContainerLog();
    log.refusal = new Dock2banError('docker-not-found', 'No such container');
    const following = new Following(log);
    await following.done;
    expect(following.updates).toEqual([]);
  });

  it('says once that the log is lost, and once that it can be read again', async () => {
    const log = new FakeContainerLog();
    log.refusal = new Dock2banError('docker-unreachable', 'ECONNREFUSED');
    const following = new Following(log, atOnce());
    await following.until(() => log.opened.length > 4);
    log.refusal = undefined;
    log.messages = messagesOf(1, start, 'line');
    await following.until(() => following.texts.length > 0);
    await following.end();
    expect(following.types).toEqual(['docker-unreachable', 'resumed', 'lines']);
  });

  it('calls a log that its driver keeps from the engine lost at once', async () => {
    const log = new FakeContainerLog();
    log.refusal = new Dock2banError('docker-log-unsupported', 'no');
    const following = new Following(log);
    await following.until(() => following.updates.length > 0);
    await following.end();
    expect(following.types).toEqual(['docker-log-unsupported']);
    expect(log.opened).toHaveLength(1);
  });

  it.each([
    [['2', '3', '4'], []],
    [['3', '4'], ['gap']],
  ])('says that lines are missing if what it read last was rotated away: %j', async (texts, gaps) => {
    const log = new FakeContainerLog();
    const messages = ['1', '2', '3', '4'].flatMap((text, at) =>
      messagesOf(1, start + BigInt(at) * second, text),
    );
    log.messages = messages.slice(0, 2);
    const before = new Following(log, atOnce());
    await before.until(() => before.texts.length === 2);
    await before.end();
    log.messages = messages.filter(({ text }) => texts.includes(text.toString().trim()));
    const after = new Following(log, { ...atOnce(), after: before.position! });
    await after.until(() => after.texts.length === 2);
    await after.end();
    expect(after.texts).toEqual(['3', '4']);
    expect(after.types.filter((type) => type === 'gap')).toEqual(gaps);
  });

  it('reads the end of a log whose middle is damaged, and says that it is', async () => {
    const log = new FakeContainerLog();
    log.isRunning = true;
    log.messages = [
      ...messagesOf(1, start, 'before the power cut'),
      { stream: 3, time: 0n, text: "Error grabbing logs: invalid character '\\x00'\n" },
    ];
    const following = new Following(log, atOnce());
    await following.until(() => log.opened.some(({ tail }) => tail !== undefined));
    log.messages = messagesOf(1, start + second, 'after it');
    await following.until(() => following.texts.length === 2);
    await following.end();
    expect(following.texts).toEqual(['before the power cut', 'after it']);
    expect(following.types).toEqual(['lines', 'docker-log-damaged', 'resumed', 'gap', 'lines']);
  });

  it('asks for no more than its consumer takes', async () => {
    const log = new FakeContainerLog();
    log.messages = Array.from({ length: 5000 }, (_, i) =>
      messagesOf(1, start + BigInt(i), 'x'.repeat(100)),
    ).flat();
    const updates = followContainerLog('c1', {
      logs: log,
      signal: new AbortController().signal,
      since: 0,
      now: () => startMs,
    });
    for (let i = 0; i < 5; i++) await updates.next();
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
    expect(log.chunksSent).toBe(5);
    await updates.return();
  });
});

describe('a stream that has stalled', () => {
  const stallTiming = {
    usual: { first: 5, longest: 20, grace: 5 },
    afterStall: { first: 5, longest: 20, grace: 5 },
  };

  it.each([[false], [true]])(
    'is opened anew, and what it held back is read; said once (terminal: %s)',
    async (tty) => {
      const log = new FakeContainerLog();
      log.tty = tty;
      log.isRunning = true;
      log.messages = messagesOf(1, start, 'one');
      // Each stream that follows gives what there is, and then nothing more.
      log.next = ({ follow }) => (follow ? { stallAfter: log.messages.length * (tty ? 35 : 43) } : {});
      const following = new Following(log, { stallTiming });
      await following.until(() => following.texts.length === 1);
      log.write(...messagesOf(1, start + second, 'two'));
      await following.until(() => following.texts.length === 2);
      log.write(...messagesOf(1, start + 2n * second, 'six'));
      await following.until(() => following.texts.length === 3);
      await following.end();
      expect(following.texts).toEqual(['one', 'two', 'six']);
      expect(following.types.filter((type) => type !== 'lines')).toEqual(['docker-log-stalled', 'resumed']);
    },
  );

  it('is told from a quiet one, and from one that nobody reads', async () => {
    const log = new FakeContainerLog();
    log.isRunning = true;
    log.messages = messagesOf(1, start, 'one');
    const following = new Following(log, { stallTiming });
    const looks = () => log.opened.filter(({ follow }) => !follow).length;
    await following.until(() => looks() >= 3);
    await following.end();
    expect(log.opened.filter(({ follow }) => follow)).toHaveLength(1);
    expect(following.types).toEqual(['lines']);
  });

  it.each([
    ['fails', { cutAfter: 0 }],
    ['never ends, as in Docker 28', { stallAfter: 0 }],
  ])(
    'is found by reading the log where the search for its last message %s, which is tried once',
    async (_, tailing) => {
      const log = new FakeContainerLog();
      log.isRunning = true;
      log.messages = messagesOf(1, start, 'one');
      log.next = ({ follow, tail }) =>
        follow ? { stallAfter: log.messages.length * 43 } : tail === 1 ? tailing : {};
      const following = new Following(log, { stallTiming });
      await following.until(() => following.texts.length === 1);
      log.write(...messagesOf(1, start + second, 'two'));
      await following.until(() => following.texts.length === 2);
      log.write(...messagesOf(1, start + 2n * second, 'six'));
      await following.until(() => following.texts.length === 3);
      await following.end();
      expect(following.texts).toEqual(['one', 'two', 'six']);
      expect(log.opened.filter(({ tail }) => tail === 1)).toHaveLength(1);
    },
  );
});
