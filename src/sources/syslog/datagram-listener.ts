import { createSocket } from 'node:dgram';
import { isIPv4 } from 'node:net';
import type { ListenAddress } from './listen-address.ts';
import type { ListenerEvents, SyslogListener } from './listener-events.ts';

/** Bytes that the kernel may keep while we are busy; it gives half of it if net.core.rmem_max is less. */
const kernelBuffer = 4 * 1024 * 1024;

/** Listens for UDP. Rejects with the system's error if the address can't be bound. */
export async function listenDatagrams(
  { host, port }: Extract<ListenAddress, { host: string }>,
  events: ListenerEvents,
): Promise<SyslogListener> {
  const family = isIPv4(host) ? 'udp4' : 'udp6';
  const socket = createSocket({ type: family, recvBufferSize: kernelBuffer });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address: host, port }, () => {
      socket.off('error', reject);
      resolve();
    });
  }).catch((error: unknown) => {
    socket.close();
    throw error;
  });
  socket.on('error', (error) => events.failed(error));
  socket.on('message', (bytes, { address }) => events.datagram(bytes, address));
  return { close: () => new Promise((resolve) => void socket.close(() => resolve())) };
}
