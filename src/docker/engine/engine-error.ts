import { Dock2banError, messageOf } from '../../errors.ts';

const fixes: Readonly<Record<string, string>> = {
  ENOENT:
    'start the service docker-socket as in compose.example.yml, mount /var/run/docker.sock into the container, or set --docker-host',
  EACCES: 'run dock2ban as root, or in the group that owns the socket',
  EPERM: 'run dock2ban as root, or in the group that owns the socket',
  ECONNREFUSED:
    'is the engine running? systemctl status docker. If it is, it has replaced its socket, and the mounted one is the old one: docker restart dock2ban',
  ENOTFOUND: 'check the host name in --docker-host',
  ETIMEDOUT: 'see whether docker ps answers on the host; if it hangs as well, restart the Docker service',
};

/** An answer that is more than is taken. */
export class TooMuch extends Error {}

/** An answer that no engine gives. */
export class NotAnEngine extends Error {}

/** An answer other than 200. */
export class Refusal extends Error {
  readonly status: number;
  /** Of a redirect. */
  readonly location: string | undefined;

  constructor(status: number, text: string, location?: string) {
    super(`(HTTP code ${status}) ${text}`);
    this.status = status;
    this.location = location;
  }
}

/** The engine knows nothing of that id. */
export class NotFound extends Dock2banError {
  constructor(message: string) {
    super('docker-not-found', message);
  }
}

/**
 * Turns whatever a call to the engine threw into a Dock2banError: `docker-unreachable`, `docker-forbidden`,
 * `docker-redirect`, `docker-refused` or `docker-not-found`.
 */
export function engineError(thrown: unknown, call: string, host: string): Dock2banError {
  if (thrown instanceof Dock2banError) return thrown;
  const errno = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  const message = `${call} at ${host}: ${messageOf(thrown).trim() || errno}`;
  const error = (code: string, text: string, fix?: string): Dock2banError =>
    new Dock2banError(code, text, { cause: thrown, fix });
  if (thrown instanceof TooMuch) {
    const fix =
      'check what answers at --docker-host: a Docker engine sends this much only with very many containers';
    return error('docker-refused', message, fix);
  }
  if (thrown instanceof NotAnEngine) return error('docker-refused', message, 'check --docker-host');
  if (!(thrown instanceof Refusal)) return error('docker-unreachable', message, fixes[errno]);
  const { status, location } = thrown;
  if (status === 404) return new NotFound(message);
  if (status === 401 || status === 403) {
    const fix =
      'a socket proxy in front of the engine must pass CONTAINERS, NETWORKS, INFO, VERSION and EVENTS';
    return error('docker-forbidden', message, fix);
  }
  if (location === undefined) return error('docker-refused', message);
  const fix = 'point --docker-host at the engine itself, or at a socket proxy that answers for it';
  return error('docker-redirect', `${message}, which is not followed`, fix);
}
