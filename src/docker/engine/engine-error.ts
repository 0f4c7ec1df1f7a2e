import { Dock2banError, messageOf } from '../../errors.ts';

const fixes: Readonly<Record<string, string>> = {
  ENOENT:
    'start the service docker-socket as in compose.example.yml, mount /var/run/docker.sock into the container, or set --docker-host',
  EACCES: 'run dock2ban as root, or in the group that owns the socket',
  EPERM: 'run dock2ban as root, or in the group that owns the socket',
  ECONNREFUSED: 'is the engine running? systemctl status docker',
  ENOTFOUND: 'check the host name in --docker-host',
  ETIMEDOUT: 'see whether docker ps answers on the host; if it hangs as well, restart the Docker service',
};

/** An answer that is more than is taken. */
export class TooMuch extends Error {}

/** The engine knows nothing of that id. */
export class NotFound extends Dock2banError {
  constructor(message: string) {
    super('docker-not-found', message);
  }
}

/**
 * Turns whatever a call to the engine threw into a Dock2banError: `docker-unreachable`, `docker-forbidden`,
 * `docker-redirect`,
 * `docker-refused` or `docker-not-found`.
 */
export function engineError(thrown: unknown, call: string, host: string): Dock2banError {
  if (thrown instanceof Dock2banError) return thrown;
  const code = property(thrown, 'code');
  const status = property(thrown, 'statusCode');
  const message = `${call} at ${host}: ${messageOf(thrown).trim() || String(code)}`;
  if (status === 404) return new NotFound(message);
  if (status === 401 || status === 403) {
    return new Dock2banError('docker-forbidden', message, {
      fix: 'a socket proxy in front of the engine must pass CONTAINERS, NETWORKS, INFO, VERSION and EVENTS',
      cause: thrown,
    });
  }
  if (typeof property(thrown, 'location') === 'string') {
    return new Dock2banError('docker-redirect', `${message}, which is not followed`, {
      fix: 'point --docker-host at the engine itself, or at a socket proxy that answers for it',
      cause: thrown,
    });
  }
  if (thrown instanceof TooMuch) {
    return new Dock2banError('docker-refused', message, {
      fix: 'see what answers at --docker-host: an engine says less, unless it has very many containers',
      cause: thrown,
    });
  }
  if (status !== undefined) return new Dock2banError('docker-refused', message, { cause: thrown });
  const fix = fixes[String(code)];
  return new Dock2banError('docker-unreachable', message, {
    cause: thrown,
    ...(fix !== undefined && { fix }),
  });
}

function property(thrown: unknown, name: string): unknown {
  return typeof thrown === 'object' && thrown !== null ? Reflect.get(thrown, name) : undefined;
}
