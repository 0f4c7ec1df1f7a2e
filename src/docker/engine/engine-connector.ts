import type { Readable } from 'node:stream';
import * as z from 'zod';
import { Dock2banError } from '../../errors.ts';
import { negotiateApiVersion } from './api-version.ts';
import { parseDockerHost } from './docker-host.ts';
import {
  engineInfo,
  engineVersion,
  inspectedContainer,
  inspectedImage,
  listedContainer,
  listedNetwork,
  listedService,
  type EngineInfo,
  type EngineVersion,
  type InspectedContainer,
  type ListedContainer,
  type ListedNetwork,
  type ListedService,
  type Listing,
} from './engine-answers.ts';
import type { ConnectDocker, EngineClient, LogQuery } from './engine-client.ts';
import { NotFound } from './engine-error.ts';
import { EngineHttp, type AnswerLimits } from './engine-http.ts';

export interface ConnectOptions {
  /** Directory of ca.pem, cert.pem and key.pem for an engine behind TLS. Default: what DOCKER_CERT_PATH names. */
  readonly certDir?: string | undefined;
  /** Milliseconds that the engine has to answer one call. */
  readonly timeout?: number;
}

const mebibyte = 1024 * 1024;
/** Bytes of an answer. 50,000 containers are listed in some 60 MB. */
const most = { one: 4 * mebibyte, list: 64 * mebibyte };
/** Milliseconds to wait for what is known of an image: nothing else may be late for it. */
const imagePatience = 2_000;

/**
 * Connects to an engine.
 * @param dockerHost what DOCKER_HOST may hold; throws a Dock2banError at once if it can't be parsed
 */
export function engineConnector(dockerHost: string, options: ConnectOptions = {}): ConnectDocker {
  const { certDir = process.env['DOCKER_CERT_PATH'], timeout = 30_000 } = options;
  const engine = new EngineHttp(parseDockerHost(dockerHost), certDir);
  return async (signal) => {
    const limits = { bytes: most.one, ms: timeout };
    try {
      const answer = await engine.json('GET /version', '/version', limits, signal);
      return new HttpEngineClient(engine, engineVersion.parse(answer), timeout);
    } catch (error) {
      if (!(error instanceof z.ZodError) && !isRefusal(error)) throw error;
      return new HttpEngineClient(engine, undefined, timeout);
    }
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

class HttpEngineClient implements EngineClient {
  readonly engine: EngineVersion;
  readonly #http: EngineHttp;
  readonly #path: string;
  readonly #timeout: number;

  /** @param engine undefined: it doesn't tell; without a version in the path every engine answers, in the newest that it speaks */
  constructor(engineHttp: EngineHttp, engine: EngineVersion | undefined, timeout: number) {
    this.#http = engineHttp;
    this.engine = engine ?? { Version: 'unknown', ApiVersion: 'unknown' };
    this.#path = engine ? `/v${negotiateApiVersion(engine)}` : '';
    this.#timeout = timeout;
  }

  async info(signal: AbortSignal): Promise<EngineInfo> {
    return this.#one('/info', '/info', engineInfo, signal);
  }

  async listContainers(signal: AbortSignal): Promise<Listing<ListedContainer>> {
    return this.#list('/containers/json', '/containers/json?all=true', listedContainer, signal);
  }

  async ping(signal: AbortSignal): Promise<void> {
    await this.#list('/containers/json', '/containers/json?limit=1', listedContainer, signal);
  }

  async inspectContainer(
    id: string,
    signal: AbortSignal,
    ms?: number,
  ): Promise<InspectedContainer | undefined> {
    const path = `/containers/${encodeURIComponent(id)}/json`;
    try {
      return await this.#one(`/containers/${id.slice(0, 12)}/json`, path, inspectedContainer, signal, ms);
    } catch (error) {
      if (error instanceof NotFound) return undefined;
      throw error;
    }
  }

  async inspectImage(id: string, signal: AbortSignal): Promise<Readonly<Record<string, string>> | undefined> {
    // As the Docker client spells it, for socket proxies that go by the spelling.
    const path = `/images/${encodeURIComponent(id).replace('%3A', ':')}/json`;
    try {
      const name = `/images/${id.slice(0, 19)}/json`;
      const { Config } = await this.#one(name, path, inspectedImage, signal, imagePatience);
      return Config?.Labels ?? {};
    } catch (error) {
      if (signal.aborted) throw error;
      return undefined;
    }
  }

  async listNetworks(signal: AbortSignal): Promise<Listing<ListedNetwork>> {
    return this.#list('/networks', '/networks', listedNetwork, signal);
  }

  async listServices(
    ids: readonly string[],
    signal: AbortSignal,
  ): Promise<Listing<ListedService> | undefined> {
    const filters = encodeURIComponent(JSON.stringify({ id: ids }));
    try {
      return await this.#list('/services', `/services?filters=${filters}`, listedService, signal);
    } catch (error) {
      if (isRefusal(error)) return undefined;
      throw error;
    }
  }

  async events(signal: AbortSignal): Promise<AsyncIterable<unknown>> {
    const path = `${this.#path}/events?filters=${encodeURIComponent(eventFilters)}`;
    return this.#http.stream('GET /events', path, this.#timeout, signal);
  }

  async logs(id: string, { since, follow, tail }: LogQuery, signal: AbortSignal): Promise<Readable> {
    const path = `${this.#path}/containers/${encodeURIComponent(id)}/logs`;
    const query = `stdout=true&stderr=true&timestamps=true&since=${since}&follow=${follow}&tail=${tail ?? 'all'}`;
    const name = `GET /containers/${id.slice(0, 12)}/logs`;
    return this.#http.stream(name, `${path}?${query}`, undefined, signal);
  }

  async #one<T>(
    name: string,
    path: string,
    schema: z.ZodType<T>,
    signal: AbortSignal,
    ms = this.#timeout,
  ): Promise<T> {
    const answer = await this.#ask(name, path, { bytes: most.one, ms }, signal);
    const { success, data, error } = schema.safeParse(answer);
    if (success) return data;
    throw this.#http.notAnEngine(`GET ${name}`, error);
  }

  /** Each entry is judged by itself. */
  async #list<T>(name: string, path: string, schema: z.ZodType<T>, signal: AbortSignal): Promise<Listing<T>> {
    const answer = await this.#ask(name, path, { bytes: most.list, ms: this.#timeout }, signal);
    if (!Array.isArray(answer)) throw this.#http.notAnEngine(`GET ${name}`, undefined);
    const entries = answer.flatMap((entry) => schema.safeParse(entry).data ?? []);
    return { entries, unreadable: answer.length - entries.length };
  }

  async #ask(name: string, path: string, limits: AnswerLimits, signal: AbortSignal): Promise<unknown> {
    return this.#http.json(`GET ${name}`, this.#path + path, limits, signal);
  }
}

/** Whether it was answered, but not with what was asked for. */
function isRefusal(error: unknown): boolean {
  const codes = ['docker-refused', 'docker-forbidden', 'docker-not-found'];
  return error instanceof Dock2banError && codes.includes(error.code);
}
