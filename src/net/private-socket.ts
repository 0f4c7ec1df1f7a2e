import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';

/**
 * Listens on a unix socket that only its owner can use: it has mode 0600 from its first moment, as the umask counts when it is bound. A
 * socket that nobody listens on any more makes way; whatever else stands there is left alone.
 * @throws an Error with the code EADDRINUSE if somebody listens there, EEXIST if something else is there, or the system's
 */
export async function listenPrivately(server: Server, path: string): Promise<void> {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats && (!stats.isSocket() || stats.uid !== process.geteuid?.())) {
    throw coded('EEXIST', stats.isSocket() ? "it is another user's socket" : 'it exists and is no socket');
  }
  if (stats && (await answers(path))) throw coded('EADDRINUSE', 'somebody else listens there');
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  rmSync(path, { force: true });
  const umask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      });
    });
  } finally {
    process.umask(umask);
  }
  chmodSync(path, 0o600);
}

function coded(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

async function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
