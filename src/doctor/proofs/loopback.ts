import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import type { Family } from '../../net/address.ts';

/** Milliseconds that a packet to oneself may take. */
const patience = 1000;

/** Sends a datagram over loopback to a port of its own. @returns whether it came */
export async function sendToSelf(family: Family): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
  const timer = setTimeout(() => resolve(false), patience);
  socket.on('error', () => resolve(false)).on('message', () => resolve(true));
  const address = family === 4 ? '127.0.0.1' : '::1';
  socket.bind(0, address, () => socket.send('dock2ban doctor', socket.address().port, address));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}

/** Tries to connect to a port of this host over loopback, from one of loopback's other addresses. Dispose of it to give up. */
export function knock(port: number, localAddress: string): Disposable {
  const socket = connect({ host: '127.0.0.1', port, localAddress }).on('error', () => undefined);
  return { [Symbol.dispose]: () => void socket.destroy() };
}
