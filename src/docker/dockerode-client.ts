import { addAbortSignal, type Readable } from 'node:stream';
import type * as z from 'zod';
import { Dock2banError } from '../errors.ts';
import { answerInTime } from './answer-in-time.ts';
import { negotiateApiVersion } from './api-version.ts';
import { describeDockerHost, modemOptions, parseDockerHost, type DockerHost } from './docker-host.ts';
import { loadDockerode, type Dockerode } from './dockerode.ts';
import {
  containerList,
  engineInfo,
  engineVersion,
  inspectedContainer,
  inspectedImage,
  networkList,
  serviceList,
  type EngineInfo,
  type EngineVersion,
  type InspectedContainer,
  type ListedContainer,
  type ListedNetwork,
  type ListedService,
} from './engine-answers.ts';
import type { ConnectDocker, EngineClient, LogQuery } from './engine-client.ts';
import { engineError, NotFound } from './engine-error.ts';

export interface ConnectOptions {
  /** Directory of ca.pem, cert.pem and key.pem for an engine behind TLS; DOCKER_CERT_PATH's meaning. */
  readonly certDir?: string;
  /** Milliseconds that the engine has to answer one call. */
  readonly timeout?: number;
}

/**
 * Connects through dockerode.
 * @param dockerHost what DOCKER_HOST may hold; throws a Dock2banError at once if it can't be parsed
 */
export function dockerodeConnector(dockerHost: string, options: ConnectOptions = {}): ConnectDocker {
  const host = parseDockerHost(dockerHost);
  const calls = new Calls(host, options.timeout ?? 30_000);
  return async (signal) => {
    const Docker = loadDockerode();
    const address = modemOptions(host, options.certDir);
    // Without a version in the path every engine answers, in the newest version it speaks.
    const unversioned = new Docker(address);
    const engine = await calls.answer('GET /version', engineVersion, (o) => unversioned.version(o), signal);
    const docker = new Docker({ ...address, version: `v${negotiateApiVersion(engine)}` });
    return new DockerodeClient(docker, engine, calls);
  };
}

/**
 * The events after which a snapshot may differ. The engine filters them, so that health checks and execs, which come
 * every few seconds, wake nobody.
 */
const eventFilters = JSON.stringify({
  type: ['container', 'network'],
  event: [
    'start',
    'die',
    'destroy',
    'rename',
    'update',
    'pause',
    'unpause',
    'connect',
    'disconnect',
    'create',
    'remove',
  ],
});

/** Milliseconds to wait for what is known of an image: nothing else may be late for it. */
const imagePatience = 2_000;

class DockerodeClient implements EngineClient {
  readonly engine: EngineVersion;
  readonly #docker: Dockerode;
  readonly #calls: Calls;

  constructor(docker: Dockerode, engine: EngineVersion, calls: Calls) {
    this.#docker = docker;
    this.engine = engine;
    this.#calls = calls;
  }

  async info(signal: AbortSignal): Promise<EngineInfo> {
    return this.#calls.answer('GET /info', engineInfo, (o) => this.#docker.info(o), signal);
  }

  async listContainers(signal: AbortSignal): Promise<readonly ListedContainer[]> {
    return this.#calls.answer(
      'GET /containers/json',
      containerList,
      (o) => this.#docker.listContainers({ ...o, all: true }),
      signal,
    );
  }

  async inspectContainer(id: string, signal: AbortSignal): Promise<InspectedContainer | undefined> {
    const container = this.#docker.getContainer(id);
    const name = `GET /containers/${id.slice(0, 12)}/json`;
    try {
      return await this.#calls.answer(name, inspectedContainer, (o) => container.inspect(o), signal);
    } catch (error) {
      if (error instanceof NotFound) return undefined;
      throw error;
    }
  }

  async inspectImage(id: string, signal: AbortSignal): Promise<Readonly<Record<string, string>> | undefined> {
    const image = this.#docker.getImage(id);
    const name = `GET /images/${id.slice(0, 19)}/json`;
    try {
      const within = AbortSignal.any([signal, AbortSignal.timeout(imagePatience)]);
      const { Config } = await this.#calls.answer(name, inspectedImage, (o) => image.inspect(o), within);
      return Config?.Labels ?? {};
    } catch (error) {
      if (signal.aborted) throw error;
      return undefined;
    }
  }

  async listNetworks(signal: AbortSignal): Promise<readonly ListedNetwork[]> {
    return this.#calls.answer('GET /networks', networkList, (o) => this.#docker.listNetworks(o), signal);
  }

  async listServices(
    ids: readonly string[],
    signal: AbortSignal,
  ): Promise<readonly ListedService[] | undefined> {
    const filters = JSON.stringify({ id: ids });
    const ask = (options: { abortSignal: AbortSignal }): Promise<unknown> =>
      this.#docker.listServices({ ...options, filters });
    try {
      return await this.#calls.answer('GET /services', serviceList, ask, signal);
    } catch (error) {
      const codes = ['docker-refused', 'docker-forbidden', 'docker-not-found'];
      if (error instanceof Dock2banError && codes.includes(error.code)) return undefined;
      throw error;
    }
  }

  async events(signal: AbortSignal): Promise<AsyncIterable<unknown>> {
    // The stream outlives the call: the session's signal, not the call's, ends it.
    const options = { filters: eventFilters, abortSignal: signal };
    return this.#calls.send('GET /events', () => this.#docker.getEvents(options), signal);
  }

  async logs(id: string, { since, follow, tail }: LogQuery, signal: AbortSignal): Promise<Readable> {
    const query = { stdout: true, stderr: true, timestamps: true, since, follow, tail: tail ?? 'all' };
    const options = { follow: true, _query: query, abortSignal: signal } as const;
    const name = `GET /containers/${id.slice(0, 12)}/logs`;
    const stream = await this.#calls.failing(name, this.#docker.getContainer(id).logs(options));
    // Once it is answered, the request's own signal ends nothing any more.
    return addAbortSignal(signal, stream);
  }
}

/** Makes calls to one engine: in time, with what fails turned into a Dock2banError that names call and engine. */
class Calls {
  readonly #host: string;
  readonly #timeout: number;

  constructor(host: DockerHost, timeout: number) {
    this.#host = describeDockerHost(host);
    this.#timeout = timeout;
  }

  async send<T>(
    name: string,
    call: (options: { abortSignal: AbortSignal }) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    return this.failing(
      name,
      answerInTime((abortSignal) => call({ abortSignal }), signal, this.#timeout),
    );
  }

  /** For a call that is not bounded in time. */
  async failing<T>(name: string, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      throw engineError(error, name, this.#host);
    }
  }

  async answer<T>(
    name: string,
    schema: z.ZodType<T>,
    call: (options: { abortSignal: AbortSignal }) => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<T> {
    const parsed = schema.safeParse(await this.send(name, call, signal));
    if (parsed.success) return parsed.data;
    throw new Dock2banError('docker-refused', `${name} at ${this.#host}: not the answer of a Docker engine`, {
      fix: 'check --docker-host',
      cause: parsed.error,
    });
  }
}
