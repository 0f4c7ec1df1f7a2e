import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A container as a test describes it; the fake renders both list entry and inspection from it. */
export interface FakeContainer {
  id: string;
  name: string;
  labels?: Record<string, string>;
  state?: string;
  ports?: Record<string, { HostIp: string; HostPort: string }[] | null>;
  /** As it was created; `ports` are those of a running one. */
  bindings?: Record<string, { HostIp: string; HostPort: string }[]>;
  publishAll?: boolean;
  networkMode?: string;
  logDriver?: string;
  logOptions?: Record<string, string>;
  startedAt?: string;
  created?: string;
  /** The name of its image. */
  image?: string;
  /** Default: an image without labels. */
  imageId?: string;
  endpoints?: Record<string, { NetworkID?: string; IPAddress?: string; GlobalIPv6Address?: string }>;
}

/**
 * A Docker engine's HTTP API over a unix socket, as far as dock2ban calls it: real HTTP, with versions refused as the
 * real engines do. What isn't implemented answers 501.
 */
export class FakeEngine {
  readonly socketPath = join(mkdtempSync(join(tmpdir(), 'engine-')), 'docker.sock');
  readonly requests: string[] = [];
  readonly methods: (string | undefined)[] = [];
  containers: FakeContainer[] = [];
  networks: unknown[] = [
    { Name: 'bridge', Driver: 'bridge', IPAM: { Config: [{ Subnet: '172.17.0.0/16' }] } },
  ];
  info: unknown = {};
  /** Labels of images, by id. */
  images: Record<string, Record<string, string>> = { [plainImage]: {} };
  /** Swarm's; undefined: it is no manager. */
  services: readonly { ID: string }[] | undefined;
  /** Runs before each answer; may answer itself, then returns true. */
  intercept: (path: string, response: ServerResponse) => boolean | Promise<boolean> = () => false;
  readonly #api: { version: string; min: string; max: string };
  readonly #sockets = new Set<Socket>();
  readonly #streams = new Set<ServerResponse>();
  #server: Server | undefined;

  constructor(api: { version: string; min: string; max: string } = engine20) {
    this.#api = api;
  }

  async start(): Promise<this> {
    rmSync(this.socketPath, { force: true });
    const server = createServer((request, response) => void this.#answer(request, response));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.socketPath, resolve));
    return this;
  }

  /** Cuts every connection and refuses new ones. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    this.#streams.clear();
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  get subscribers(): number {
    return this.#streams.size;
  }

  /** Writes raw bytes to every event stream, each string as a chunk of its own. */
  async emit(...chunks: string[]): Promise<void> {
    for (const chunk of chunks) {
      for (const stream of this.#streams) stream.write(chunk);
      await new Promise((resolve) => {
        setTimeout(resolve, 5);
      });
    }
  }

  /** Ends the event streams but goes on serving: an idle stream behind a proxy. */
  cutStreams(): void {
    for (const stream of this.#streams) stream.end();
    this.#streams.clear();
  }

  count(pattern: RegExp): number {
    return this.requests.filter((path) => pattern.test(path)).length;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, version, path = ''] = /^(?:\/v(\d+\.\d+))?(\/.*)$/.exec(request.url ?? '') ?? [];
    this.requests.push(request.url ?? '');
    this.methods.push(request.method);
    if (await this.intercept(path, response)) return;
    const minor = Number((version ?? this.#api.max).split('.')[1]);
    if (minor < Number(this.#api.min.split('.')[1])) {
      return json(response, 400, {
        message: `client version ${version} is too old. Minimum supported API version is ${this.#api.min}`,
      });
    }
    if (minor > Number(this.#api.max.split('.')[1])) {
      return json(response, 400, {
        message: `client version ${version} is too new. Maximum supported API version is ${this.#api.max}`,
      });
    }
    if (path === '/version') {
      const { version: Version, min: MinAPIVersion, max: ApiVersion } = this.#api;
      return json(response, 200, { Version, ApiVersion, MinAPIVersion });
    }
    if (path === '/info') return json(response, 200, this.info);
    if (path === '/networks') return json(response, 200, this.networks);
    if (path.startsWith('/services?')) {
      if (!this.services) return json(response, 503, { message: 'This node is not a swarm manager.' });
      const filters = new URL(path, 'http://engine').searchParams.get('filters') ?? '{}';
      const { id = [] } = JSON.parse(filters) as { id?: readonly string[] };
      return json(
        response,
        200,
        this.services.filter(({ ID }) => id.includes(ID)),
      );
    }
    if (/^\/containers\/json(?:\?|$)/.test(path)) {
      const isAll = new URL(path, 'http://engine').searchParams.get('all') === 'true';
      const isShown = ({ state = 'running' }: FakeContainer): boolean =>
        isAll || ['running', 'paused', 'restarting'].includes(state);
      return json(response, 200, this.containers.filter(isShown).map(listEntry));
    }
    if (path.startsWith('/events')) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      this.#streams.add(response);
      response.on('close', () => this.#streams.delete(response));
      return undefined;
    }
    const image = /^\/images\/([^/]+)\/json$/.exec(path)?.[1];
    if (image !== undefined) {
      const labels = this.images[decodeURIComponent(image)];
      if (!labels) return json(response, 404, { message: `No such image: ${image}` });
      return json(response, 200, { Config: { Labels: labels } });
    }
    const id = /^\/containers\/([^/]+)\/json$/.exec(path)?.[1];
    if (id !== undefined) {
      const container = this.containers.find((candidate) => candidate.id === id);
      if (!container) return json(response, 404, { message: `No such container: ${id}` });
      return json(response, 200, inspection(container));
    }
    return json(response, 501, { message: `the fake engine has no ${path}` });
  }
}

const plainImage = `sha256:${'ab'.repeat(32)}`;

export const engine20 = { version: '20.10.24', min: '1.12', max: '1.41' };
export const engine29 = { version: '29.0.1', min: '1.44', max: '1.52' };

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}

/** 64 hexadecimal digits that begin with these. */
export function idOf(start: string): string {
  return start.padEnd(64, '0');
}

function listEntry(container: FakeContainer): unknown {
  const { id, name, labels = {}, state = 'running', ports = {}, startedAt, endpoints } = container;
  return {
    Id: id,
    Names: [`/${name}`],
    State: state,
    Status: `Up ${Math.random()} seconds`,
    Labels: labels,
    Ports: Object.entries(ports).flatMap(([port, bindings]) =>
      (bindings ?? []).map(({ HostIp, HostPort }) => ({
        IP: HostIp,
        PrivatePort: Number.parseInt(port, 10),
        PublicPort: Number(HostPort),
        Type: port.split('/')[1],
      })),
    ),
    NetworkSettings: { Networks: endpoints ?? { bridge: { EndpointID: startedAt } } },
  };
}

function inspection(container: FakeContainer): unknown {
  const { id, name, labels = {}, ports = {}, networkMode = 'bridge', startedAt } = container;
  const { logDriver = 'json-file', logOptions = {}, endpoints = { bridge: {} } } = container;
  const { bindings = {}, publishAll = false } = container;
  return {
    Id: id,
    Name: `/${name}`,
    Created: container.created ?? '2026-11-22T13:44:53.123456789Z',
    Image: container.imageId ?? plainImage,
    Path: 'nginx',
    Args: ['-g', 'daemon off;'],
    State: { StartedAt: startedAt ?? '2026-11-22T13:44:54Z' },
    Config: { Image: container.image ?? 'nginx:1', Labels: labels },
    HostConfig: {
      NetworkMode: networkMode,
      LogConfig: { Type: logDriver, Config: logOptions },
      PortBindings: bindings,
      PublishAllPorts: publishAll,
    },
    NetworkSettings: { Ports: ports, Networks: endpoints },
  };
}
