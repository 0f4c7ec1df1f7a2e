import { createSocket } from 'node:dgram';
import { execFileSync } from 'node:child_process';
import { linkSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseAllowedSenders, parseListenAddresses } from '../../../src/sources/syslog/listen-address.ts';
import type { TlsFiles } from '../../../src/sources/syslog/listener.ts';
import { type ReceiverUpdate, SyslogReceiver } from '../../../src/sources/syslog/receiver.ts';

let folder: string;
let end: AbortController;
let receiver: SyslogReceiver;
let updates: ReceiverUpdate[];
let done: Promise<void> = Promise.resolve();
/** The consumer takes the next update when this is resolved. */
let gate: Promise<void>;
const sockets: Socket[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'receiver-'));
  end = new AbortController();
  updates = [];
  gate = Promise.resolve();
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  end.abort();
  await done;
  rmSync(folder, { recursive: true });
});

function start(listen: string, { allow = '', tls }: { allow?: string; tls?: TlsFiles } = {}): void {
  receiver = new SyslogReceiver({
    listen: parseListenAddresses(listen),
    allow: parseAllowedSenders(allow),
    ...(tls && { tls }),
    wanted: (program) => program === 'nginx-proxy',
    hostname: 'here',
    now: Date.now,
    random: () => 1,
  });
  done = (async () => {
    for await (const update of receiver.receive(end.signal)) {
      updates.push(update);
      await gate;
    }
  })();
}

const texts = (): string[] =>
  updates.flatMap((update) =>
    update.type === 'lines'
      ? update.lines.map(({ line, messageStart }) => line.text.slice(messageStart))
      : [],
  );

const message = (text: string, program = 'nginx-proxy') => `<30>Nov 22 13:44:53 ${program}[812]: ${text}`;

async function sees(...wanted: string[]): Promise<void> {
  await vi.waitFor(() => expect(texts()).toEqual(wanted), { timeout: 10_000, interval: 5 });
}

/** A port of loopback that nothing uses. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => void server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

async function connected(make: () => Socket, event = 'connect'): Promise<Socket> {
  return vi.waitFor(
    async () => {
      const socket = make();
      sockets.push(socket);
      await new Promise((resolve, reject) => void socket.once(event, resolve).once('error', reject));
      socket.on('error', () => undefined);
      return socket;
    },
    { timeout: 10_000, interval: 20 },
  );
}

async function datagrams(port: number, ...contents: string[]): Promise<void> {
  await vi.waitFor(
    () =>
      expect(readFileSync('/proc/net/udp', 'utf8')).toContain(
        `:${port.toString(16).toUpperCase().padStart(4, '0')} `,
      ),
    {
      timeout: 10_000,
    },
  );
  const socket = createSocket('udp4');
  for (const content of contents) {
    await new Promise<void>((resolve, reject) => {
      socket.send(content, port, '127.0.0.1', (error) => (error ? reject(error) : resolve()));
    });
  }
  socket.close();
}

describe('the syslog receiver', () => {
  it('takes datagrams: one message each, whatever is in it', async () => {
    const port = await freePort();
    start(`udp://127.0.0.1:${port}`);
    await datagrams(
      port,
      message('GET /1\n'),
      message(`x\n${message('forged')}`, 'other'),
      message('GET /2', 'nginx-proxy2'),
      'no header',
      message(`GET /3\n${message('forged')}`),
      message('GET /4'),
    );
    await sees('GET /1', `GET /3\\n${message('forged')}`, 'GET /4');
    expect(receiver.stats).toMatchObject([
      {
        address: `udp://127.0.0.1:${port}`,
        messages: 6,
        unreadable: 1,
        dropped: 0,
        kernelDropped: 0,
        refused: 0,
      },
    ]);
  });

  it('takes newline-ended and counted messages over TCP and a unix socket, split anywhere', async () => {
    const port = await freePort();
    const path = join(folder, 'run/syslog.sock');
    start(`tcp://127.0.0.1:${port},unix://${path}`);
    const tcp = await connected(() => connect(port, '127.0.0.1'));
    const bytes = Buffer.from(`${message('GET /ä')}\n${message('x', 'other')}\n${message('GET /2')}\n`);
    const middle = bytes.indexOf(0xa4);
    tcp.write(bytes.subarray(0, middle));
    await vi.waitFor(() => expect(receiver.stats[0]!.connections).toBe(1));
    tcp.write(bytes.subarray(middle));
    await sees('GET /ä', 'GET /2');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const unix = await connected(() => connect(path));
    const rfc5424 = `<30>1 2026-11-22T13:44:53Z web1 nginx-proxy 812 nginx-proxy - GET /3\n${message('forged')}`;
    unix.end(`${Buffer.byteLength(rfc5424)} ${rfc5424}`);
    await sees('GET /ä', 'GET /2', `GET /3\\n${message('forged')}`);
    await vi.waitFor(() => expect(receiver.stats[1]).toMatchObject({ connections: 0, messages: 1 }));
  });

  it('takes messages over TLS, with clients that prove who they are if that is asked for', async () => {
    const file = (name: string): string => join(folder, name);
    const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
    for (const name of ['server', 'client', 'stranger']) {
      openssl(
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
        '-subj',
        `/CN=${name}`,
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.pem`,
      );
    }
    const port = await freePort();
    start(`tls://127.0.0.1:${port}`, {
      tls: { cert: file('server.pem'), key: file('server.key'), clientCa: file('client.pem') },
    });
    const identity = (name: string) => ({
      ca: readFileSync(file('server.pem')),
      cert: readFileSync(file(`${name}.pem`)),
      key: readFileSync(file(`${name}.key`)),
      checkServerIdentity: () => undefined,
    });
    const open = (name: string) => () => connectTls({ port, host: '127.0.0.1', ...identity(name) });
    const client = await connected(open('client'), 'secureConnect');
    const stranger = open('stranger')();
    sockets.push(stranger);
    stranger.on('error', () => undefined);
    stranger.write(`${message('GET /stranger')}\n`);
    await new Promise((resolve) => void stranger.once('close', resolve));
    client.write(`${message('GET /1').length} ${message('GET /1')}`);
    await sees('GET /1');
    const plain = await connected(() => connect(port, '127.0.0.1'));
    plain.write(`${message('GET /plain')}\n`);
    await new Promise((resolve) => void plain.once('close', resolve));
    expect(texts()).toEqual(['GET /1']);
  });

  it('says once that a certificate cannot be used, and what to do', async () => {
    writeFileSync(join(folder, 'a.pem'), 'nonsense');
    const port = await freePort();
    start(`tls://127.0.0.1:${port}`, {
      tls: { cert: join(folder, 'a.pem'), key: join(folder, 'absent.pem') },
    });
    await vi.waitFor(() =>
      expect(updates).toMatchObject([{ type: 'lost', error: { code: 'syslog-listen' } }]),
    );
  });

  it('takes lines only of allowed senders beyond loopback, and names others once', async () => {
    const port = await freePort();
    start(`udp://0.0.0.0:${port},tcp://0.0.0.0:${port}`, { allow: '192.0.2.0/24' });
    await datagrams(port, message('GET /1'), message('GET /2'));
    const tcp = await connected(() => connect(port, '127.0.0.1'));
    await new Promise((resolve) => void tcp.once('close', resolve));
    await vi.waitFor(() =>
      expect(receiver.stats).toMatchObject([{ refused: 2, messages: 0 }, { refused: 1 }]),
    );
    await vi.waitFor(() =>
      expect(updates).toEqual([
        { type: 'refused', address: `udp://0.0.0.0:${port}`, sender: '127.0.0.1' },
        { type: 'refused', address: `tcp://0.0.0.0:${port}`, sender: '127.0.0.1' },
      ]),
    );
  });

  it('takes lines of allowed senders on all addresses', async () => {
    const port = await freePort();
    start(`tcp://0.0.0.0:${port}`, { allow: '127.0.0.0/8' });
    const tcp = await connected(() => connect(port, '127.0.0.1'));
    tcp.write(`${message('GET /1')}\n`);
    await sees('GET /1');
  });

  it('waits for an address that is in use, and takes over a socket that nobody serves', async () => {
    const port = await freePort();
    const other = createServer();
    await new Promise<void>((resolve) => void other.listen(port, '127.0.0.1', resolve));
    const path = join(folder, 'syslog.sock');
    const killed = createServer();
    await new Promise<void>((resolve) => void killed.listen(`${path}.killed`, resolve));
    linkSync(`${path}.killed`, path);
    await new Promise((resolve) => void killed.close(resolve));
    start(`tcp://127.0.0.1:${port},unix://${path}`);
    await vi.waitFor(() =>
      expect(updates).toMatchObject([
        {
          type: 'lost',
          address: `tcp://127.0.0.1:${port}`,
          error: { fix: expect.stringContaining('another port') },
        },
      ]),
    );
    const unix = await connected(() => connect(path));
    unix.write(`${message('GET /1')}\n`);
    await sees('GET /1');
    other.close();
    await vi.waitFor(
      () => expect(updates.at(-1)).toEqual({ type: 'resumed', address: `tcp://127.0.0.1:${port}` }),
      {
        timeout: 10_000,
      },
    );
    const tcp = await connected(() => connect(port, '127.0.0.1'));
    tcp.write(`${message('GET /2')}\n`);
    await sees('GET /1', 'GET /2');
  });

  it('closes a connection whose lengths do not fit: nothing in a message can become one', async () => {
    const path = join(folder, 'syslog.sock');
    start(`unix://${path}`);
    const unix = await connected(() => connect(path));
    unix.write(`${message('GET /1').length} ${message('GET /1')}${message('forged')}\n`);
    await new Promise((resolve) => void unix.once('close', resolve));
    await sees('GET /1');
    expect(receiver.stats).toMatchObject([{ broken: 1, messages: 1 }]);
  });

  it('stops reading a connection whose lines are not taken, not another, and loses none', async () => {
    const path = join(folder, 'syslog.sock');
    start(`unix://${path}`);
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    const fast = await connected(() => connect(path));
    fast.write(`${message('first')}\n`);
    await vi.waitFor(() => expect(texts()).toEqual(['first']));
    const count = 20_000;
    const line = `${message('x'.repeat(400))}\n`;
    const written = new Promise<void>((onWritten) => {
      fast.write(line.repeat(count), () => onWritten());
    });
    const half = vi.waitFor(() => expect(receiver.stats[0]!.messages).toBeGreaterThan(1000), {
      timeout: 10_000,
    });
    await half;
    // It stands still well before the end: 1 MiB waits, and what the kernel holds.
    let before = -1;
    await vi.waitFor(
      () => {
        const { messages } = receiver.stats[0]!;
        const stands = messages === before;
        before = messages;
        expect(stands).toBe(true);
      },
      { timeout: 10_000, interval: 200 },
    );
    expect(before).toBeLessThan(count / 2);
    const other = await connected(() => connect(path));
    other.write(`${message('other')}\n`);
    await vi.waitFor(() => expect(receiver.stats[0]!.messages).toBe(before + 1));
    resolve();
    await written;
    await vi.waitFor(() => expect(texts()).toHaveLength(count + 2), { timeout: 10_000 });
  });

  it('drops datagrams while their lines are not taken, in bounded memory, and counts them', async () => {
    const port = await freePort();
    start(`udp://127.0.0.1:${port}`);
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    await datagrams(port, message('first'));
    await vi.waitFor(() => expect(texts()).toEqual(['first']));
    const sent = 200;
    await datagrams(port, ...Array.from({ length: sent }, () => message('x'.repeat(20_000))));
    await vi.waitFor(() => expect(receiver.stats[0]!.dropped).toBeGreaterThan(0));
    await vi.waitFor(() => {
      const { messages, dropped, kernelDropped = 0 } = receiver.stats[0]!;
      expect(messages + dropped + kernelDropped).toBe(sent + 1);
    });
    const { messages } = receiver.stats[0]!;
    expect(messages * 20_000).toBeLessThan(2 * 1024 * 1024);
    resolve();
    await vi.waitFor(() => expect(texts()).toHaveLength(messages));
    await datagrams(port, message('after'));
    await vi.waitFor(() => expect(texts().at(-1)).toBe('after'));
    // It is told at intervals, not for each.
    expect(updates.filter(({ type }) => type === 'dropped')).toEqual([]);
    const later = performance.now() + 60_000;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => later);
    try {
      await datagrams(port, message('later'));
      await vi.waitFor(() => expect(updates.at(-1)).toMatchObject({ type: 'dropped' }));
    } finally {
      clock.mockRestore();
    }
    const { dropped, kernelDropped = 0 } = receiver.stats[0]!;
    const total = dropped + kernelDropped;
    expect(updates.at(-1)).toEqual({
      type: 'dropped',
      address: `udp://127.0.0.1:${port}`,
      count: total,
      total,
    });
  });
});
