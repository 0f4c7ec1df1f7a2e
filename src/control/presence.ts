import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/**
 * An abstract socket's name belongs to the network namespace, as the rules do: it is seen from every container that has the host's
 * network, whatever files it shares, and is gone with its process (unix(7)). Anybody may take it: nothing but a word of warning
 * may hang on it.
 */
const controllerName = '\0dock2ban';
/** Timeout in ms; a live controller answers at once. */
const patience = 1_000;

/**
 * Lets others in this network namespace know that a controller enforces in it, until the process ends.
 * @returns false: there is one already
 */
export async function announcePresence(name = controllerName): Promise<boolean> {
  const server = createServer((other) => other.destroy());
  server.unref();
  try {
    server.listen(name);
    await once(server, 'listening');
    server.on('error', () => undefined);
    return true;
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE');
  }
}

/** Whether a controller enforces in this network namespace. */
export async function isPresent(name = controllerName): Promise<boolean> {
  const socket = connect(name);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(patience) });
    return true;
  } catch {
    return false;
  } finally {
    socket.on('error', () => undefined).destroy();
  }
}
