import { describe, expect, it } from 'vitest';
import { Dock2banError } from '../../../src/errors.ts';
import { followContainerLog } from '../../../src/sources/docker/follow-container.ts';
import { atOnce, Following, second, start, startMs } from './docker-following.ts';
import { FakeContainerLog, messagesOf } from './fake-container-log.ts';

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
    log.messages = [
      ...messagesOf(1, start + second, 'perhaps the rest of a line'),
      ...messagesOf(1, start + 2n * second, 'after it'),
    ];
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
