import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { mostConnections, mostOfSender } from '../../../src/sources/syslog/connection-gate.ts';
import { parseAllowedSenders, parseListenAddresses } from '../../../src/sources/syslog/listen-address.ts';
import { type ReceiverUpdate, SyslogReceiver } from '../../../src/sources/syslog/receiver.ts';

let folder: string;
let updates: ReceiverUpdate[];
let receiver: SyslogReceiver;
let end: AbortController;
let done: Promise<void>;
let port: number;
const sockets: Socket[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'receiver-'));
  updates = [];
  end = new AbortController();
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  port = typeof address === 'object' && address ? address.port : 0;
  await new Promise((resolve) => void server.close(resolve));
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  end.abort();
  await done;
  rmSync(folder, { recursive: true });
});

async function start(listen: string, allow = ''): Promise<void> {
  const pem = (name: string) => join(folder, name);
  const subject = ['-subj', '/CN=here', '-keyout', pem('key'), '-out', pem('cert')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject], {
    stdio: 'pipe',
  });
  receiver = new SyslogReceiver({
    listen: parseListenAddresses(listen),
    allow: parseAllowedSenders(allow),
    tls: { cert: pem('cert'), key: pem('key') },
    wanted: () => true,
    hostname: 'here',
    now: Date.now,
  });
  done = (async () => {
    for await (const update of receiver.receive(end.signal)) updates.push(update);
  })();
  await vi.waitFor(async () => (await open()).destroy(), { timeout: 10_000, interval: 20 });
}

async function open(host = '127.0.0.1'): Promise<Socket> {
  const socket = connect(port, host);
  sockets.push(socket);
  await new Promise((resolve, reject) => void socket.once('connect', resolve).once('error', reject));
  socket.on('error', () => undefined);
  return socket;
}

const closed = async (socket: Socket) =>
  socket.destroyed ? undefined : new Promise((resolve) => void socket.resume().once('close', resolve));

const message = '<30>Nov 22 13:44:53 here app: GET /\n';
const linesSeen = () => updates.flatMap((update) => (update.type === 'lines' ? update.lines : [])).length;
const reasons = () => updates.flatMap((update) => (update.type === 'closed' ? update.reason : []));

it.each(['tcp', 'tls'])('%s: who is not allowed holds no connection', async (scheme) => {
  await start(`${scheme}://0.0.0.0:${port}`, '192.0.2.0/24');
  for (let i = 0; i < 5; i++) await closed(await open());
  expect(receiver.stats[0]).toMatchObject({ connections: 0, broken: 0 });
  expect(updates.filter(({ type }) => type === 'refused')).toHaveLength(1);
  expect(reasons()).toEqual([]);
});

it('a handshake that does not end is cut off, and told of once', async () => {
  await start(`tls://127.0.0.1:${port}`);
  const began = performance.now();
  await Promise.all([closed(await open()), closed(await open())]);
  expect(performance.now() - began).toBeLessThan(30_000);
  await vi.waitFor(() => expect(reasons()).toEqual([expect.stringContaining('TLS handshake')]));
});

it('connections that never sent anything make way for new ones; those that have, however long ago, stay', async () => {
  await start(`tcp://127.0.0.1:${port}`);
  const speaker = await open();
  speaker.write(message);
  await vi.waitFor(() => expect(linesSeen()).toBe(1));
  const silent: Socket[] = [];
  for (let i = 1; i < mostConnections; i++) silent.push(await open());
  await vi.waitFor(() => expect(receiver.stats[0]!.connections).toBe(mostConnections));
  const late = await open();
  await closed(silent[0]!);
  late.write(message);
  await vi.waitFor(() => expect(linesSeen()).toBe(2));
  speaker.write(message);
  await vi.waitFor(() => expect(linesSeen()).toBe(3));
  expect(reasons()).toEqual([expect.stringContaining('never sent a message')]);
});

it('one address of another machine has half of the places at most', async () => {
  await start(`tcp://0.0.0.0:${port}`, '127.0.0.0/8');
  const first: Socket[] = [];
  for (let i = 0; i < mostOfSender; i++) first.push(await open());
  await closed(await open());
  await vi.waitFor(() => expect(reasons()).toEqual([`it has ${mostOfSender} others`]));
  first[0]!.write(message);
  await vi.waitFor(() => expect(linesSeen()).toBe(1));
});
