import { createRequire, registerHooks } from 'node:module';
import type { Agent } from 'node:http';
import type { Readable } from 'node:stream';

/** The part of dockerode that is called here. Its published types leave out that every call takes an AbortSignal. */
export interface Dockerode {
  version(options: Abortable): Promise<unknown>;
  info(options: Abortable): Promise<unknown>;
  listContainers(options: Abortable & { all: boolean }): Promise<unknown>;
  listNetworks(options: Abortable): Promise<unknown>;
  listServices(options: Abortable & { filters: string }): Promise<unknown>;
  getContainer(id: string): DockerodeContainer;
  getImage(id: string): Pick<DockerodeContainer, 'inspect'>;
  getEvents(options: Abortable & { filters: string }): Promise<AsyncIterable<unknown>>;
}

interface DockerodeContainer {
  inspect(options: Abortable): Promise<unknown>;
  /** `follow` makes the answer a stream; what the engine gets is `_query`. */
  logs(options: Abortable & { follow: true; _query: Readonly<Record<string, unknown>> }): Promise<Readable>;
}

/** docker-modem's options, as far as they are given. */
export interface ModemOptions {
  readonly socketPath: string | undefined;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly protocol: 'http' | 'https';
  readonly pathPrefix: string;
  readonly agent: Agent;
  readonly version?: string;
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

type DockerodeConstructor = new (options: ModemOptions) => Dockerode;

interface Abortable {
  readonly abortSignal: AbortSignal;
}

/** What dockerode loads for ssh://, BuildKit sessions and image builds: never used here. */
const unused: ReadonlySet<string> = new Set([
  'ssh2',
  '@grpc/grpc-js',
  '@grpc/proto-loader',
  'protobufjs',
  'tar-fs',
  '@balena/dockerignore',
]);
const emptyModule = 'dock2ban:unused';

/**
 * Loads dockerode without the dependencies that only its unused parts need. Measured on Node 24: importing it whole adds
 * 31 MB to the resident memory, this 13 MB.
 */
export function loadDockerode(): DockerodeConstructor {
  const require: (id: string) => DockerodeConstructor = createRequire(import.meta.url);
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      unused.has(specifier)
        ? { url: emptyModule, format: 'commonjs', shortCircuit: true }
        : next(specifier, context),
    load: (url, context, next) =>
      url === emptyModule
        ? { source: 'module.exports = {};', format: 'commonjs', shortCircuit: true }
        : next(url, context),
  });
  try {
    return require('dockerode');
  } finally {
    hooks.deregister();
  }
}
