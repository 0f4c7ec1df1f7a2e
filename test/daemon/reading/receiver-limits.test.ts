import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { mostOfSender } from '../../../src/sources/syslog/connection-gate.ts';
import { ip, LogWays, request, web } from './log-ways.ts';
import { syslogFrame } from './syslog-sender.ts';

let ways: LogWays;
const sockets: Socket[] = [];

beforeEach(async () => {
  ways = new LogWays();
  await ways.engine.start();
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await ways.close();
});

/** A daemon with a container that logs to its receiver, which takes lines from these senders. */
async function start(allow: string): Promise<void> {
  ways.allow = allow;
  const address = ways.listen('tcp');
  await ways.start([web({ logDriver: 'syslog', logOptions: { tag: 'web', 'syslog-address': address } })]);
  await ways.sees('jail-started', { sources: ['syslog receiver:web'] });
  await ways.sees('ready');
}

/** A connection of another machine. */
async function open(localAddress: string): Promise<Socket> {
  const port = Number(new URL(ways.address).port);
  const socket = connect({ port, host: '127.0.0.1', localAddress }).on('error', () => undefined);
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

const failure = (n: number): string => syslogFrame('web', request(n));

const closed = async (socket: Socket): Promise<void> => {
  if (!socket.destroyed) await once(socket.resume(), 'close');
};

it('who is not allowed has its connection closed before a line is read, however often, and is named once; others count', async () => {
  await start('127.0.0.2/32');
  for (let i = 0; i < 600; i += 1) {
    const socket = await open('127.0.0.1');
    socket.write(failure(9));
    await closed(socket);
  }
  (await open('127.0.0.2')).write(failure(1));
  await ways.sees('found', { ip: ip(1) });
  expect(ways.found).toEqual([ip(1)]);
  expect(ways.of('sender-refused')).toMatchObject([
    { sender: '127.0.0.1', msg: expect.stringContaining('--syslog-allow 127.0.0.1') },
  ]);
  expect(ways.of('connection-closed')).toEqual([]);
});

it('one sender that takes all connections it can get is told of once, and keeps no other out', async () => {
  await start('127.0.0.0/8');
  for (let i = 0; i < mostOfSender; i += 1) await open('127.0.0.1');
  await closed(await open('127.0.0.1'));
  await closed(await open('127.0.0.1'));
  (await open('127.0.0.2')).write(failure(1));
  await ways.sees('found', { ip: ip(1) });
  expect(ways.of('connection-closed')).toMatchObject([
    { sender: '127.0.0.1', msg: expect.stringContaining('see what connects there') },
  ]);
});
