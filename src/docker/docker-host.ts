import { readFileSync } from 'node:fs';
import type { Agent } from 'node:http';
import { http } from '../http.ts';
import { Agent as TlsAgent } from 'node:https';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Dock2banError } from '../errors.ts';
import type { ModemOptions } from './dockerode.ts';

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
 * What dockerode needs to connect there. What stands as undefined it would otherwise take from the environment's
 * DOCKER_HOST. No connection is kept alive: a kept one would fail the first call after the engine has restarted.
 * @param certDir directory of ca.pem, cert.pem and key.pem
 */
export function modemOptions(host: DockerHost, certDir: string | undefined): ModemOptions {
  const none = { host: undefined, port: undefined, socketPath: undefined, pathPrefix: '/' };
  if ('socketPath' in host) {
    return {
      ...none,
      socketPath: host.socketPath,
      protocol: 'http',
      agent: undescribed(new http.Agent({ keepAlive: false })),
    };
  }
  if (host.protocol === 'http')
    return { ...none, ...host, agent: undescribed(new http.Agent({ keepAlive: false })) };
  const agent = undescribed(new TlsAgent({ keepAlive: false }));
  if (certDir === undefined) return { ...none, ...host, agent };
  const pem = (name: string): Buffer => readFileSync(join(certDir, name));
  return { ...none, ...host, agent, ca: pem('ca.pem'), cert: pem('cert.pem'), key: pem('key.pem') };
}

/**
 * docker-modem describes the options of each request for a debug log that nobody reads, down to every open socket of the agent:
 * with 300 open logs that took 150 ms a request (docker-modem lib/modem.js, buildRequest).
 */
function undescribed<A extends Agent>(agent: A): A {
  return Object.assign(agent, { [inspect.custom]: () => 'Agent' });
}
