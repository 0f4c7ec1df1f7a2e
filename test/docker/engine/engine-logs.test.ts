import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { engineConnector } from '../../../src/docker/engine/engine-connector.ts';
import { EngineLogs } from '../../../src/docker/engine/engine-logs.ts';
import { type DockerLogUpdate, followContainerLog } from '../../../src/sources/docker/follow-container.ts';
import { messagesOf } from '../../sources/docker/fake-container-log.ts';
import { FakeEngine, idOf } from '../fake-engine.ts';
import { FakeLogs } from '../fake-logs.ts';

const second = 1_000_000_000n;
const start = 1_795_355_093n * second;
const since = '0.000000000';

let engine: FakeEngine;
let fake: FakeLogs;
let logs: EngineLogs;
let end: AbortController;

beforeEach(async () => {
  engine = await new FakeEngine().start();
  engine.containers = [{ id: idOf('aa'), name: 'web' }];
  fake = new FakeLogs(engine);
  logs = new EngineLogs(engineConnector(`unix://${engine.socketPath}`));
  end = new AbortController();
});

afterEach(async () => {
  end.abort();
  await engine.stop();
});

async function read(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

describe('EngineLogs', () => {
  it('asks for both streams with timestamps, from an instant on', async () => {
    fake.log(idOf('aa'), ...messagesOf(1, start, 'old'), ...messagesOf(2, start + 5n, 'new'));
    const { stream, tty } = await logs.open(idOf('aa'), {
      since: '1795355093.000000005',
      follow: false,
      signal: end.signal,
    });
    expect(tty).toBe(false);
    expect(await read(stream)).toMatch(/^\u0002\0\0\0.{4}2026-11-22T13:44:53.000000005Z new\n$/s);
    expect(engine.requests.at(-1)).toBe(
      `/v1.41/containers/${idOf('aa')}/logs?stdout=true&stderr=true&timestamps=true&since=1795355093.000000005&follow=false&tail=all`,
    );
  });

  it('knows a container with a terminal, and gives its end only', async () => {
    fake.terminals.add(idOf('aa'));
    fake.log(idOf('aa'), ...messagesOf(1, start, 'one'), ...messagesOf(1, start, 'two'));
    const { stream, tty } = await logs.open(idOf('aa'), {
      since,
      follow: false,
      tail: 1,
      signal: end.signal,
    });
    expect(tty).toBe(true);
    expect(await read(stream)).toBe('2026-11-22T13:44:53.000000000Z two\n');
  });

  it('stays open for what will be logged until it is aborted', async () => {
    const { stream } = await logs.open(idOf('aa'), { since, follow: true, signal: end.signal });
    const chunks = stream[Symbol.asyncIterator]();
    const next = chunks.next();
    fake.log(idOf('aa'), ...messagesOf(1, start, 'live'));
    expect(String((await next).value)).toContain('live');
    const last = chunks.next();
    end.abort();
    await expect(last).rejects.toThrow(/abort/i);
    await vi.waitFor(() => expect(fake.followers).toBe(0));
  });

  it('opens a quiet log of an old engine, which holds its answer back', async () => {
    fake.holdsHeaders = true;
    const { stream } = await logs.open(idOf('aa'), { since, follow: true, signal: end.signal });
    const next = stream[Symbol.asyncIterator]().next();
    fake.log(idOf('aa'), ...messagesOf(1, start, 'at last'));
    expect(String((await next).value)).toContain('at last');
  });

  it('gives up a log that has not been answered', async () => {
    fake.holdsHeaders = true;
    const { stream } = await logs.open(idOf('aa'), { since, follow: true, signal: end.signal });
    const next = stream[Symbol.asyncIterator]().next();
    end.abort();
    await expect(next).rejects.toThrow(/abort/i);
    await vi.waitFor(() => expect(fake.followers).toBe(0));
  });

  it.each([500, 501])('says what to do where the log can not be read (HTTP %i)', async (status) => {
    fake.refusal = { status, message: 'configured logging driver does not support reading' };
    await expect(logs.open(idOf('aa'), { since, follow: true, signal: end.signal })).rejects.toMatchObject({
      code: 'docker-log-unsupported',
      fix: expect.stringContaining('cache-disabled'),
    });
  });

  it('tells a container that is gone', async () => {
    await expect(logs.open(idOf('bb'), { since, follow: true, signal: end.signal })).rejects.toMatchObject({
      code: 'docker-not-found',
    });
  });

  it('tells an engine that is gone, and speaks to its successor in the version of that', async () => {
    await engine.stop();
    const opening = () => logs.open(idOf('aa'), { since, follow: false, signal: end.signal });
    await expect(opening()).rejects.toMatchObject({ code: 'docker-unreachable' });
    await engine.start();
    await opening();
    expect(engine.count(/^\/version/)).toBe(1);
  });

  it('holds hundreds of logs open at once', async () => {
    engine.containers = Array.from({ length: 300 }, (_, i) => ({
      id: idOf(`c${i}f`),
      name: `n${i}`,
    }));
    const opened = await Promise.all(
      engine.containers.map(async ({ id }) => logs.open(id, { since, follow: true, signal: end.signal })),
    );
    expect(fake.followers).toBe(300);
    for (const { id } of engine.containers) fake.log(id, ...messagesOf(1, start, `of ${id.slice(0, 6)}`));
    const texts = await Promise.all(
      opened.map(async ({ stream }) => String((await stream[Symbol.asyncIterator]().next()).value)),
    );
    expect(texts.every((text, i) => text.includes(`of ${engine.containers[i]!.id.slice(0, 6)}`))).toBe(true);
    // One for the version, before all others.
    expect(engine.count(/^\/version/)).toBe(1);
  });
});

describe('following through a real connection', () => {
  it("survives the container's and the engine's restart without losing or repeating a line", async () => {
    const updates: DockerLogUpdate[] = [];
    const texts: string[] = [];
    const done = (async () => {
      for await (const update of followContainerLog(idOf('aa'), {
        logs,
        signal: end.signal,
        since: 0,
        now: Date.now,
      })) {
        updates.push(update);
        if (update.type === 'lines') texts.push(...update.lines.map(({ text }) => text));
      }
    })();
    let logged = 0;
    const log = (count: number): void => {
      for (let i = 0; i < count; i++) {
        fake.log(
          idOf('aa'),
          ...messagesOf(logged % 3 === 0 ? 2 : 1, start + BigInt(logged), `line ${logged}`),
        );
        logged++;
      }
    };
    log(500);
    await vi.waitFor(() => expect(texts).toHaveLength(500));
    fake.end(idOf('aa'));
    log(500);
    await vi.waitFor(() => expect(texts).toHaveLength(1000), 5000);
    log(2000);
    await engine.stop();
    log(500);
    await engine.start();
    await vi.waitFor(() => expect(texts).toHaveLength(3500), 5000);
    end.abort();
    await done;
    expect(texts.toSorted()).toEqual(Array.from({ length: 3500 }, (_, i) => `line ${i}`).toSorted());
    expect(updates.filter(({ type }) => type !== 'lines')).toEqual([]);
  });
});
