import type { Readable } from 'node:stream';
import * as z from 'zod';
import { Dock2banError } from '../../errors.ts';
import { negotiateApiVersion } from './api-version.ts';
import {
  engineInfo,
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
import type { EngineHttp } from './engine-http.ts';

/** Connects to the engine and negotiates the API version. */
export type ConnectDocker = (signal: AbortSignal) => Promise<EngineClient>;

/** Which messages of a log. */
export interface LogQuery {
  /** From then on, `SECONDS.NANOSECONDS` since the epoch. */
  readonly since: string;
  /** Stay open for what will be logged. */
  readonly follow: boolean;
  /** So many of the end only. */
  readonly tail?: number;
}

const mebibyte = 1024 * 1024;
/** Bytes of an answer. 50,000 containers are listed in some 60 MB. */
export const mostBytes = { one: 4 * mebibyte, list: 64 * mebibyte };
/** Milliseconds to wait for what is known of an image: nothing else may be late for it. */
const imagePatience = 2_000;

/**
 * The events after which a snapshot may differ. The engine filters them, so that health checks and execs, which come
 * every few seconds, wake nobody.
 */
const eventFilters = encodeURIComponent(
  JSON.stringify({
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
  }),
);

/**
 * The calls that dock2ban makes to a Docker engine, in one negotiated API version. Every call rejects with a
 * Dock2banError, also when `signal` aborts or the engine doesn't answer in time.
 */
export class EngineClient {
  readonly engine: EngineVersion;
  readonly #http: EngineHttp;
  readonly #prefix: string;
  readonly #timeout: number;

  /**
   * @param engine undefined: it doesn't tell; without a version in the path every engine answers, in the newest that it speaks
   * @param timeout milliseconds that the engine has to answer one call
   */
  constructor(http: EngineHttp, engine: EngineVersion | undefined, timeout: number) {
    this.#http = http;
    this.engine = engine ?? { Version: 'unknown', ApiVersion: 'unknown' };
    this.#prefix = engine ? `/v${negotiateApiVersion(engine)}` : '';
    this.#timeout = timeout;
  }

  async info(signal: AbortSignal): Promise<EngineInfo> {
    return this.#one('/info', engineInfo, signal);
  }

  /** All containers, whatever their state. */
  async listContainers(signal: AbortSignal): Promise<Listing<ListedContainer>> {
    return this.#list('/containers/json?all=true', listedContainer, signal);
  }

  /** Whether it still lists containers, at little cost. */
  async ping(signal: AbortSignal): Promise<void> {
    await this.#list('/containers/json?limit=1', listedContainer, signal);
  }

  /** Rejects with `docker-not-found` if there is no such container (any more). @param ms within which it must be answered */
  async inspectContainer(id: string, signal: AbortSignal, ms?: number): Promise<InspectedContainer> {
    return this.#one(`/containers/${encodeURIComponent(id)}/json`, inspectedContainer, signal, ms);
  }

  /** The labels that an image gives its containers. Rejects also if it is gone, or a proxy doesn't let the question through. */
  async inspectImage(id: string, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
    // As the Docker client spells it, for socket proxies that go by the spelling.
    const path = `/images/${encodeURIComponent(id).replace('%3A', ':')}/json`;
    return (await this.#one(path, inspectedImage, signal, imagePatience)).Config?.Labels ?? {};
  }

  async listNetworks(signal: AbortSignal): Promise<Listing<ListedNetwork>> {
    return this.#list('/networks', listedNetwork, signal);
  }

  /** Swarm services with these ids. Undefined: the engine doesn't tell, since it is no manager or a proxy doesn't let the question through. */
  async listServices(
    ids: readonly string[],
    signal: AbortSignal,
  ): Promise<Listing<ListedService> | undefined> {
    const filters = encodeURIComponent(JSON.stringify({ id: ids }));
    try {
      return await this.#list(`/services?filters=${filters}`, listedService, signal);
    } catch (error) {
      if (isRefusal(error)) return undefined;
      throw error;
    }
  }

  /**
   * Resolves once the engine has accepted the subscription. Yields whenever a container or network changed in a way
   * that a snapshot shows: once a chunk of the stream, so an event cut in two may yield twice and two in one chunk once.
   * Ends or throws when the connection is gone.
   */
  async events(signal: AbortSignal): Promise<AsyncIterable<unknown>> {
    return this.#http.stream(`${this.#prefix}/events?filters=${eventFilters}`, this.#timeout, signal);
  }

  /**
   * A container's stdout and stderr with timestamps. Resolves with the answer's beginning, which old engines hold back (moby issue 47448)
   * until there is a first message, so it is not bounded in time. `signal` ends the stream, too.
   */
  async logs(id: string, { since, follow, tail }: LogQuery, signal: AbortSignal): Promise<Readable> {
    const path = `${this.#prefix}/containers/${encodeURIComponent(id)}/logs`;
    const query = `stdout=true&stderr=true&timestamps=true&since=${since}&follow=${follow}&tail=${tail ?? 'all'}`;
    return this.#http.stream(`${path}?${query}`, undefined, signal);
  }

  async #one<T>(path: string, schema: z.ZodType<T>, signal: AbortSignal, ms = this.#timeout): Promise<T> {
    const limits = { bytes: mostBytes.one, ms };
    return this.#http.json(this.#prefix + path, limits, (answer) => schema.parse(answer), signal);
  }

  /** Each entry is judged by itself. */
  async #list<T>(path: string, schema: z.ZodType<T>, signal: AbortSignal): Promise<Listing<T>> {
    const limits = { bytes: mostBytes.list, ms: this.#timeout };
    const read = (answer: unknown): Listing<T> => {
      const all = z.array(z.unknown()).parse(answer);
      const entries = all.flatMap((entry) => schema.safeParse(entry).data ?? []);
      return { entries, unreadable: all.length - entries.length };
    };
    return this.#http.json(this.#prefix + path, limits, read, signal);
  }
}

/** Whether it was answered, but not with what was asked for. */
export function isRefusal(error: unknown): boolean {
  const codes = ['docker-refused', 'docker-forbidden', 'docker-not-found'];
  return error instanceof Dock2banError && codes.includes(error.code);
}
