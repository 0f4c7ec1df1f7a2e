import { createSocket } from 'node:dgram';
import type { Outcome } from './client-protocol.ts';

/**
 * Sends one datagram with the URL's path to a `udp://` address, from a socket of its own, and waits for the answer: the service's numeric
 * status. A closed port answers by ICMP: `refused`.
 */
export async function udpRequest(url: URL, timeoutMs: number): Promise<Outcome> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  try {
    return await new Promise<Outcome>((resolve) => {
      setTimeout(() => resolve('timeout'), timeoutMs);
      socket.on('message', (answer) => resolve(Number(answer.toString())));
      socket.on('error', (error: NodeJS.ErrnoException) =>
        resolve(error.code === 'ECONNREFUSED' ? 'refused' : 'unreachable'),
      );
      // Only a connected socket is told of ICMP errors.
      socket.connect(Number(url.port), host, () => socket.send(url.pathname));
    });
  } finally {
    socket.close();
  }
}
