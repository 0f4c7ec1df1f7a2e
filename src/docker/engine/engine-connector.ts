import { parseDockerHost } from './docker-host.ts';
import { engineVersion } from './engine-answers.ts';
import { EngineClient, isRefusal, mostBytes, type ConnectDocker } from './engine-client.ts';
import { EngineHttp } from './engine-http.ts';

export interface ConnectOptions {
  /** Directory of ca.pem, cert.pem and key.pem for an engine behind TLS. Default: what DOCKER_CERT_PATH names. */
  readonly certDir?: string | undefined;
  /** Milliseconds that the engine has to answer one call. */
  readonly timeout?: number;
}

/**
 * Connects to an engine.
 * @param dockerHost what DOCKER_HOST may hold; throws a Dock2banError at once if it can't be parsed
 */
export function engineConnector(dockerHost: string, options: ConnectOptions = {}): ConnectDocker {
  const { certDir = process.env['DOCKER_CERT_PATH'], timeout = 30_000 } = options;
  const http = new EngineHttp(parseDockerHost(dockerHost), certDir);
  return async (signal) => {
    const limits = { bytes: mostBytes.one, ms: timeout };
    const version = http.json('/version', limits, (answer) => engineVersion.parse(answer), signal);
    const engine = await version.catch((error: unknown) => {
      if (isRefusal(error)) return undefined;
      throw error;
    });
    return new EngineClient(http, engine, timeout);
  };
}
