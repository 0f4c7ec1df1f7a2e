import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:http';
import { join } from 'node:path';
import { Dock2banError, messageOf } from '../../errors.ts';
import { http } from '../../net/http.ts';

/** Where an engine listens. */
export type DockerHost =
  | { readonly socketPath: string }
  | { readonly protocol: 'http' | 'https'; readonly host: string; readonly port: number };

const fix = 'give unix:///var/run/docker.sock, tcp://HOST:PORT, http://HOST:PORT or https://HOST:PORT';

/** Parses what DOCKER_HOST may hold. Throws a Dock2banError (`docker-host`) on anything else, ssh:// and npipe:// included. */
export function parseDockerHost(text: string): DockerHost {
  const [, scheme, rest] = /^([a-z]+):\/\/(.*)$/.exec(text) ?? [];
  if (scheme === 'unix' && rest?.startsWith('/')) return { socketPath: rest };
  if (scheme === 'tcp' || scheme === 'http' || scheme === 'https') {
    const url = URL.parse(`http://${rest}`);
    if (url && url.hostname !== '' && url.pathname === '/') {
      // 2376 is Docker's registered port for TLS, 2375 for plain HTTP.
      const protocol = scheme === 'https' || (scheme === 'tcp' && url.port === '2376') ? 'https' : 'http';
      const assumed = scheme === 'tcp' ? 2375 : scheme === 'https' ? 443 : 80;
      return { protocol, host: url.hostname, port: url.port === '' ? assumed : Number(url.port) };
    }
  }
  throw new Dock2banError('docker-host', `"${text}" is not an address of a Docker engine`, { fix });
}

/** Names it for messages. */
export function describeDockerHost(host: DockerHost): string {
  return 'socketPath' in host ? host.socketPath : `${host.protocol}://${host.host}:${host.port}`;
}

/**
 * How it is connected to. No connection is kept alive: a kept one would fail the first call after the engine has restarted.
 * @param certDir directory of ca.pem, cert.pem and key.pem, for TLS
 */
export function connectionTo(host: DockerHost, certDir: string | undefined): RequestOptions {
  if ('socketPath' in host)
    return { socketPath: host.socketPath, agent: new http.Agent({ keepAlive: false }) };
  const { protocol, port } = host;
  const place = { host: host.host.replaceAll(/[[\]]/g, ''), port };
  if (protocol === 'http') return { ...place, agent: new http.Agent({ keepAlive: false }) };
  const { Agent } = process.getBuiltinModule('node:https');
  const keys = certDir === undefined ? {} : readKeys(certDir);
  return { ...place, agent: new Agent({ keepAlive: false, ...keys }) };
}

function readKeys(certDir: string): Record<'ca' | 'cert' | 'key', Buffer> {
  try {
    const pem = (name: string): Buffer => readFileSync(join(certDir, name));
    return { ca: pem('ca.pem'), cert: pem('cert.pem'), key: pem('key.pem') };
  } catch (error) {
    throw new Dock2banError('docker-host', `the keys for the engine can't be read: ${messageOf(error)}`, {
      fix: 'put ca.pem, cert.pem and key.pem into the directory that DOCKER_CERT_PATH names',
      cause: error,
    });
  }
}
