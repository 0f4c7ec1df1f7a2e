/** Transport protocols that Docker publishes ports for. */
export type Protocol = 'tcp' | 'udp' | 'sctp';

/** One port of a container as the host publishes it. A published range is one entry a port. */
export interface PublishedPort {
  readonly protocol: Protocol;
  /** The host address it is bound to; `0.0.0.0` and `::` are all addresses of that family. */
  readonly hostAddress: string;
  readonly hostPort: number;
  readonly containerPort: number;
}

/** Where Docker sends a container's output. */
export interface ContainerLogging {
  readonly driver: string;
  readonly options: Readonly<Record<string, string>>;
  /**
   * The `tag` option as Docker renders it, for the drivers that have one (syslog, journald, …);
   * undefined where the driver has none or the template is one we can't render.
   */
  readonly tag: string | undefined;
}

/** A running container, as far as bans are concerned. */
export interface ContainerSnapshot {
  /** The full id, 64 hexadecimal digits. */
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** `network_mode: host`: it publishes nothing, its ports are the host's. */
  readonly hostNetwork: boolean;
  /** Names of the networks it is on. */
  readonly networks: readonly string[];
  readonly publishedPorts: readonly PublishedPort[];
  readonly logging: ContainerLogging;
}

/** A Docker network's addresses: none of these may ever be banned. */
export interface NetworkSnapshot {
  readonly name: string;
  readonly driver: string;
  /** CIDR notation. */
  readonly subnets: readonly string[];
  readonly gateways: readonly string[];
}

/** What an engine is, from `GET /version` and `GET /info`. */
export interface EngineSnapshot {
  readonly version: string;
  readonly apiVersion: string;
  /** `FirewallBackend.Driver` of `GET /info`: `iptables`, `nftables`, …; undefined before API 1.49. */
  readonly firewallBackend: string | undefined;
}

/** All of an engine that dock2ban acts on: every running container that opted in, and every network. */
export interface DockerSnapshot {
  readonly engine: EngineSnapshot;
  readonly containers: readonly ContainerSnapshot[];
  readonly networks: readonly NetworkSnapshot[];
}
