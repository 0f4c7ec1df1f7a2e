import { readFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { Dock2banError, messageOf } from '../../errors.ts';
import { listenPrivately } from '../../net/private-socket.ts';
import { listenDatagrams } from './datagram-listener.ts';
import { ConnectionGate, type OnClosed } from './connection-gate.ts';
import { isLocal, type ListenAddress } from './listen-address.ts';
import type { ListenerEvents, SyslogListener } from './listener-events.ts';

/** Paths of PEM files for `tls://`. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  /** Only clients with a certificate of this authority may connect; undefined: every client. */
  readonly clientCa?: string;
}

/** Milliseconds. */
const handshakeWithin = 10_000;

/**
 * Listens at an address. A unix socket is its owner's alone (mode 0600): root's, as which Docker's engine connects.
 * @throws Dock2banError `syslog-listen` with what to do about it
 */
export async function openListener(
  address: ListenAddress,
  tls: TlsFiles | undefined,
  events: ListenerEvents,
): Promise<SyslogListener> {
  try {
    if (address.transport === 'udp') return await listenDatagrams(address, events);
    return await listenForConnections(address, tls, events);
  } catch (error) {
    if (error instanceof Dock2banError) throw error;
    throw listenFailure(address, error);
  }
}

async function listenForConnections(
  address: Exclude<ListenAddress, { transport: 'udp' }>,
  tls: TlsFiles | undefined,
  events: ListenerEvents,
): Promise<SyslogListener> {
  const gate = new ConnectionGate(events.closed);
  const accept = (socket: Socket): void => {
    if (socket.destroyed) return;
    socket.on('error', () => socket.destroy());
    events.connected(socket, () => gate.spoke(socket));
  };
  const server =
    address.transport === 'tls' ? await tlsServer(tls, accept, events.closed) : createServer(accept);
  // First of all, and of TLS before a byte of the handshake is read.
  server.prependListener('connection', (socket: Socket) => {
    const { remoteAddress: sender } = socket;
    socket.on('error', () => socket.destroy());
    if (!events.admits(address.transport === 'unix' ? undefined : sender)) socket.destroy();
    // So that a peer that vanished is noticed.
    else if (gate.admit(socket, isLocal(address) ? undefined : sender)) socket.setKeepAlive(true, 60_000);
  });
  if (address.transport === 'unix') await listenPrivately(server, address.path);
  else await listening(server, () => server.listen({ host: address.host, port: address.port }));
  server.on('error', (error) => events.failed(listenFailure(address, error)));
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        gate.destroyAll();
      }),
  };
}

async function tlsServer(
  files: TlsFiles | undefined,
  accept: (socket: Socket) => void,
  onClosed: OnClosed,
): Promise<Server> {
  if (!files) {
    throw new Dock2banError('syslog-listen', 'tls:// needs a certificate', {
      fix: 'name it: --syslog-tls-cert cert.pem --syslog-tls-key key.pem',
    });
  }
  const [cert, key, ca] = await Promise.all([files.cert, files.key, files.clientCa].map(readPem));
  // Loaded only where it is asked for: it costs memory.
  const { createServer: createTlsServer } = await import('node:tls');
  try {
    const server = createTlsServer(
      {
        cert,
        key,
        minVersion: 'TLSv1.2',
        handshakeTimeout: handshakeWithin,
        ...(ca !== undefined && { ca, requestCert: true, rejectUnauthorized: true }),
      },
      accept,
    );
    server.on('tlsClientError', (error, socket) => {
      // One that was not admitted has no address any more.
      const { remoteAddress } = socket;
      socket.destroy();
      if (remoteAddress !== undefined)
        onClosed(remoteAddress, `the TLS handshake failed: ${messageOf(error)}`);
    });
    return server;
  } catch (cause) {
    throw new Dock2banError(
      'syslog-listen',
      `cannot use ${files.cert} and ${files.key}: ${messageOf(cause)}`,
      {
        fix: 'give a PEM certificate and the key that belongs to it',
        cause,
      },
    );
  }
}

async function readPem(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new Dock2banError('syslog-listen', `cannot read ${path}: ${messageOf(cause)}`, {
      fix: 'mount the file into the container, readable for dock2ban',
      cause,
    });
  }
}

async function listening(server: Server, listen: () => void): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    listen();
  });
}

const fixes: Readonly<Record<string, string>> = {
  EEXIST: 'name a path for the socket where nothing is yet',
  EADDRINUSE: 'stop what listens there, or choose another port',
  EADDRNOTAVAIL: 'listen on an address of this host',
  EACCES: 'choose a port above 1023, or a folder that dock2ban may write to',
  EROFS: "mount a writable folder of the host's there",
};

function listenFailure({ url }: ListenAddress, cause: unknown): Dock2banError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return new Dock2banError('syslog-listen', `cannot listen on ${url}: ${messageOf(cause)}`, {
    cause,
    fix: fixes[code],
  });
}
