import type { Readable } from 'node:stream';
import type {
  EngineInfo,
  EngineVersion,
  InspectedContainer,
  ListedContainer,
  ListedNetwork,
  ListedService,
  Listing,
} from './engine-answers.ts';

/**
 * The calls that dock2ban makes to a Docker engine, in one negotiated API version. Every call rejects with a
 * Dock2banError, also when `signal` aborts or the engine doesn't answer in time.
 */
export interface EngineClient {
  readonly engine: EngineVersion;
  info(signal: AbortSignal): Promise<EngineInfo>;
  /** All containers, whatever their state. */
  listContainers(signal: AbortSignal): Promise<Listing<ListedContainer>>;
  /** Whether it still lists containers, at little cost. */
  ping(signal: AbortSignal): Promise<void>;
  /** Undefined if there is no such container (any more). @param ms within which it must be answered */
  inspectContainer(id: string, signal: AbortSignal, ms?: number): Promise<InspectedContainer | undefined>;
  /** The labels that an image gives its containers. Undefined if they can't be had: it is gone, a proxy doesn't let the question through, or the answer is late. */
  inspectImage(id: string, signal: AbortSignal): Promise<Readonly<Record<string, string>> | undefined>;
  listNetworks(signal: AbortSignal): Promise<Listing<ListedNetwork>>;
  /** Swarm services with these ids. Undefined: the engine doesn't tell, since it is no manager or a proxy doesn't let the question through. */
  listServices(ids: readonly string[], signal: AbortSignal): Promise<Listing<ListedService> | undefined>;
  /**
   * Resolves once the engine has accepted the subscription. Yields whenever a container or network changed in a way
   * that a snapshot shows: once a chunk of the stream, so an event cut in two may yield twice and two in one chunk once.
   * Ends or throws when the connection is gone.
   */
  events(signal: AbortSignal): Promise<AsyncIterable<unknown>>;
  /**
   * A container's stdout and stderr with timestamps. Resolves with the answer's beginning, which old engines hold back (moby issue 47448)
   * until there is a first message, so it is not bounded in time. `signal` ends the stream, too.
   */
  logs(id: string, query: LogQuery, signal: AbortSignal): Promise<Readable>;
}

/** Which messages of a log. */
export interface LogQuery {
  /** From then on, `SECONDS.NANOSECONDS` since the epoch. */
  readonly since: string;
  /** Stay open for what will be logged. */
  readonly follow: boolean;
  /** So many of the end only. */
  readonly tail?: number;
}

/** Connects to the engine and negotiates the API version. */
export type ConnectDocker = (signal: AbortSignal) => Promise<EngineClient>;
