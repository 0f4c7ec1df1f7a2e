import { mkdtempSync, rmSync } from 'node:fs';
import { type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ControlClient } from '../../src/control/client.ts';
import { serveControl, TokenBucket, type ControlServer } from '../../src/control/server.ts';
import type { TransferredBan } from '../../src/control/api.ts';
import { mostWaiting } from '../../src/control/stream.ts';
import { fakeController } from './fake-controller.ts';

let dir: string;
let path: string;
let server: ControlServer;
let controller: ReturnType<typeof fakeController>;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dock2ban-views-'));
  path = join(dir, 'dock2ban.sock');
  controller = fakeController();
  server = await serveControl(path, controller);
});

afterEach(async () => {
  await server.close();
  vi.useRealTimers();
  rmSync(dir, { recursive: true, force: true });
});

interface Answer {
  readonly incoming: IncomingMessage;
  /** What has come so far. */
  readonly text: () => string;
  readonly ended: Promise<void>;
  readonly leave: () => void;
}

function ask(resource: string, method = 'GET', body?: string, headers = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: path, method, path: resource, headers }, (incoming) => {
      let text = '';
      incoming.setEncoding('utf8').on('data', (more: string) => (text += more));
      const ended = new Promise<void>((end) => {
        incoming.on('close', end);
        incoming.on('error', () => end());
      });
      resolve({ incoming, text: () => text, ended, leave: () => outgoing.destroy() });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

async function whole(...call: Parameters<typeof ask>) {
  const { incoming, text, ended } = await ask(...call);
  await ended;
  return { status: incoming.statusCode, headers: incoming.headers, text: text() };
}

/** Ids of the events in a stream. */
function ids(text: string): number[] {
  return [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
}

const told = (): void => {
  controller.views.tell('found', 'nginx-proxy', '203.0.113.7');
  controller.views.tell('ban', 'nginx-proxy', '203.0.113.7');
  controller.views.tell('found', 'sshd', '203.0.113.8');
};

describe('the stream of events', () => {
  it('carries events live, as server-sent events', async () => {
    const { incoming, text, leave } = await ask('/v1/events');
    expect(incoming.headers['content-type']).toBe('text/event-stream');
    await vi.waitFor(() => expect(controller.views.watchers.size).toBe(1));
    told();
    await vi.waitFor(() => expect(ids(text())).toEqual([1000, 1001, 1002]));
    expect(text()).toContain(
      'id: 1001\nevent: ban\ndata: {"id":1001,"time":"2026-11-22T13:44:53.000Z","level":"info","event":"ban",' +
        '"jail":"nginx-proxy","ip":"203.0.113.7","msg":"[nginx-proxy] Ban 203.0.113.7"}\n\n',
    );
    leave();
    await vi.waitFor(() => expect(controller.views.watchers.size).toBe(0));
  });

  it.each([
    ['/v1/events?follow=false', {}, []],
    ['/v1/events?follow=false&since=0', {}, [1000, 1001, 1002]],
    ['/v1/events?follow=false&since=1000', {}, [1001, 1002]],
    ['/v1/events?follow=false', { 'Last-Event-ID': '1001' }, [1002]],
    // What a browser had last counts more than where it began.
    ['/v1/events?follow=false&since=0', { 'Last-Event-ID': '1001' }, [1002]],
    ['/v1/events?follow=false&last=1', {}, [1002]],
    ['/v1/events?follow=false&last=0', {}, []],
    ['/v1/events?follow=false&last=9', {}, [1000, 1001, 1002]],
    ['/v1/events?follow=false&since=0&jail=nginx-proxy', {}, [1000, 1001]],
    ['/v1/events?follow=false&last=1&jail=nginx-proxy', {}, [1001]],
  ])('%s %j replays %j', async (resource, headers, expected) => {
    told();
    const { status, text } = await whole(resource, 'GET', undefined, headers);
    expect(status).toBe(200);
    expect(ids(text)).toEqual(expected);
  });

  it('goes on after what is replayed, without a gap', async () => {
    told();
    const { text, leave } = await ask('/v1/events?since=1000');
    await vi.waitFor(() => expect(controller.views.watchers.size).toBe(1));
    told();
    await vi.waitFor(() => expect(ids(text())).toEqual([1001, 1002, 1003, 1004, 1005]));
    leave();
  });

  it.each([
    '/v1/events?since=yesterday',
    '/v1/events?since=-1',
    '/v1/events?follow=maybe',
    '/v1/events?jial=sshd',
    '/v1/events?last=1.5',
  ])('refuses %s', async (resource) => {
    const { status, text } = await whole(resource);
    expect(status).toBe(400);
    expect(text).toContain('invalid-request');
  });

  it('shows that it lives while nothing happens', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const { text, leave } = await ask('/v1/events');
    await vi.waitFor(() => expect(controller.views.watchers.size).toBe(1));
    vi.advanceTimersByTime(15_000);
    await vi.waitFor(() => expect(text()).toContain(': dock2ban is there\n\n'));
    expect(ids(text())).toEqual([]);
    leave();
  });

  it('drops a reader that does not read, and keeps no more for it than its share', async () => {
    const slow = connect(path);
    slow.pause();
    slow.on('error', () => undefined);
    slow.write('GET /v1/events HTTP/1.1\r\nHost: socket\r\n\r\n');
    await vi.waitFor(() => expect(controller.views.watchers.size).toBe(1));
    const other = await ask('/v1/events');
    await vi.waitFor(() => expect(controller.views.watchers.size).toBe(2));
    const data = 'x'.repeat(10_000);
    const watchers = controller.views.watchers;
    let sent = 0;
    // Far more than the kernel's buffers and ours; whoever reads gets all of it.
    for (let id = 1; id <= 500; id++) {
      for (const watch of watchers) watch({ id, event: 'found', jail: undefined, json: `"${data}"` });
      sent += data.length;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(sent).toBeGreaterThan(4 * mostWaiting);
    await vi.waitFor(() => expect(watchers.size).toBe(1));
    await vi.waitFor(() => expect(ids(other.text())).toHaveLength(500));
    other.leave();
    slow.destroy();
  });

  it('is open to sixteen at a time', async () => {
    const readers: Answer[] = [];
    for (let n = 0; n < 16; n++) readers.push(await ask('/v1/events'));
    expect(readers.every(({ incoming }) => incoming.statusCode === 200)).toBe(true);
    const refused = await whole('/v1/events');
    expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
    expect(refused.text).toContain('too-many-streams');
    expect((await whole('/v1/status')).status).toBe(200);
    for (const { leave } of readers) leave();
    await vi.waitFor(async () => expect((await whole('/v1/events?follow=false')).status).toBe(200));
  });

  it('ends with the server', async () => {
    const events = new ControlClient(path).events({ follow: true });
    const next = events.next();
    await vi.waitFor(() => expect(controller.views.watchers.size).toBe(1));
    controller.views.tell('ban', 'sshd', '203.0.113.7');
    expect(await next).toMatchObject({ value: { event: 'ban', ip: '203.0.113.7' } });
    const end = events.next();
    await server.close();
    await expect(end).rejects.toMatchObject({ code: 'cut-off' });
  });
});

describe('the views', () => {
  it('tell of an address and of a prefix, however it is written', async () => {
    const client = new ControlClient(path);
    expect(await client.why('20.247.234.38')).toMatchObject({ jails: [{ jail: 'nginx-proxy' }] });
    expect(await client.why('2001:DB8::7/64')).toMatchObject({ ip: '2001:db8::/64' });
    expect(await whole('/v1/why/203.0.113.7/24')).toMatchObject({
      status: 200,
      text: expect.stringContaining('"203.0.113.0/24"'),
    });
    expect((await whole('/v1/why/nobody')).status).toBe(400);
  });

  it('export what import takes', async () => {
    const text = (await whole('/v1/export')).text;
    const { bans }: { bans: TransferredBan[] } = JSON.parse(text);
    expect(bans).toHaveLength(1);
    expect(await new ControlClient(path).import(bans)).toMatchObject({ active: 1, waiting: { sshd: 1 } });
    expect(controller.views.imported).toEqual(bans);
  });

  const ban: TransferredBan = {
    jail: 'sshd',
    ip: '203.0.113.7',
    since: '2026-11-22T13:44:53.123Z',
    until: null,
    count: 1,
    failures: null,
    container: null,
    lines: [],
  };

  it.each([
    [{}, 'bans'],
    [{ bans: [] }, 'bans'],
    [{ bans: [ban], more: 1 }, 'more'],
    [{ bans: Array.from({ length: 2001 }, () => ban) }, 'bans'],
  ])('refuse to import %#', async (body, where) => {
    const { status, text } = await whole('/v1/import', 'POST', JSON.stringify(body));
    expect(status).toBe(400);
    expect(text).toContain(where);
    expect(controller.views.imported).toEqual([]);
  });

  it.each([
    [{ ...ban, ip: '$(reboot)' }, 'ip'],
    [{ ...ban, ip: '0.0.0.0/0' }, 'ip'],
    [{ ...ban, jail: 'a b' }, 'jail'],
    [{ ...ban, since: 'yesterday' }, 'since'],
    [{ ...ban, until: 5 }, 'until'],
    [{ ...ban, count: 0 }, 'count'],
    [{ ...ban, lines: ['x'.repeat(5000)] }, 'lines'],
  ])('import all but entry %#', async (bad, what) => {
    const { status, text } = await whole('/v1/import', 'POST', JSON.stringify({ bans: [bad, ban] }));
    expect(status).toBe(200);
    expect(JSON.parse(text).skipped).toEqual([expect.stringContaining(what)]);
    expect(controller.views.imported).toEqual([ban]);
  });
});

describe('the limits', () => {
  /** Makes changes until there are too many. */
  async function exhaust() {
    const unbans = () =>
      Promise.all(Array.from({ length: 25 }, () => whole('/v1/unbans', 'POST', '{"ips":["192.0.2.1"]}')));
    let passed = 0;
    for (let n = 0; n < 200; n++) {
      const answers = await unbans();
      const refused = answers.find(({ status }) => status !== 200);
      if (refused) return { passed, refused };
      passed += answers.length;
    }
    return expect.unreachable();
  }

  it('let so many changes through, and say when there is room again', async () => {
    const { passed, refused } = await exhaust();
    expect(passed).toBeGreaterThanOrEqual(175);
    expect(refused).toMatchObject({ status: 429, headers: { 'retry-after': '1' } });
    expect((await whole('/v1/status')).status).toBe(200);
  });

  it('make our own client wait', async () => {
    await exhaust();
    const client = new ControlClient(path);
    const results = Array.from({ length: 25 }, () => client.unban(undefined, ['192.0.2.1']));
    expect(new Set((await Promise.all(results)).map(({ count }) => count))).toEqual(new Set([0]));
  });

  it('close connections beyond 64, and let others in again', async () => {
    const open = Array.from({ length: 64 }, () => connect(path));
    await Promise.all(open.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    // Answered only once all are counted.
    open[0]!.write('GET /v1/status HTTP/1.1\r\nHost: socket\r\n\r\n');
    await new Promise((resolve) => open[0]!.once('data', resolve));
    await expect(whole('/v1/status')).rejects.toThrow(/hang up|ECONNRESET|EPIPE/);
    for (const socket of open) socket.destroy();
    await vi.waitFor(async () => expect((await whole('/v1/status')).status).toBe(200));
  });

  it('are counted as they should be', () => {
    let now = 0;
    const bucket = new TokenBucket(2, 10, () => now);
    expect([bucket.take(), bucket.take()]).toEqual([0, 0]);
    expect(bucket.take()).toBeCloseTo(0.1);
    now = 99;
    expect(bucket.take()).toBeGreaterThan(0);
    now = 100;
    expect(bucket.take()).toBe(0);
    now = 60_000;
    expect([bucket.take(), bucket.take()]).toEqual([0, 0]);
    expect(bucket.take()).toBeGreaterThan(0);
  });
});
