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
  /** Absent: not known. */
  readonly imageId?: string;
  /** All, those of its image among them. */
  readonly labels: Readonly<Record<string, string>>;
  /** Those that its image says the same of; absent: none; `unknown`: the engine doesn't tell. */
  readonly imageLabels?: Readonly<Record<string, string>> | 'unknown';
  /** Epoch milliseconds. */
  readonly createdAt: number;
  /** `network_mode: host`: it publishes nothing, its ports are the host's. */
  readonly hostNetwork: boolean;
  /** Names of the networks it is on. */
  readonly networks: readonly string[];
  /** Network → its addresses there; absent: it has none. */
  readonly addresses?: Readonly<Record<string, readonly string[]>>;
  /** Also those that its Swarm service publishes on the ingress network. */
  readonly publishedPorts: readonly PublishedPort[];
  /** It is on Swarm's ingress network, and what its service publishes there can't be asked here: this node is no manager. */
  readonly hiddenServicePorts?: true;
  readonly logging: ContainerLogging;
}

/**
 * A container that doesn't run, but may be started, and whose labels say who gets to its ports. Its ports are those that it will publish, but for
 * those to which another container has more of a claim.
 */
export interface AwaitedContainer extends ContainerSnapshot {
  /** It publishes others besides, which the engine chooses when it starts. */
  readonly hasUnknownPorts: boolean;
}

/** A Docker network's addresses: none of these may ever be banned. */
export interface NetworkSnapshot {
  readonly name: string;
  readonly driver: string;
  /** CIDR notation. */
  readonly subnets: readonly string[];
  readonly gateways: readonly string[];
  /** Of macvlan and ipvlan: the host's interface that its packets come by; absent: Docker made one that leads nowhere. */
  readonly parent?: string;
}

/** What an engine is, from `GET /version` and `GET /info`. */
export interface EngineSnapshot {
  readonly version: string;
  readonly apiVersion: string;
  /** `FirewallBackend.Driver` of `GET /info`: `iptables`, `nftables`, …; undefined before API 1.49. */
  readonly firewallBackend: string | undefined;
}

/** What an engine answers that can't be used, or doesn't answer. What was known of it stays. */
export interface EngineProblem {
  /** `container web`, `network app`, … */
  readonly where: string;
  readonly message: string;
  readonly fix: string;
  /** The container's name, if it is about one. */
  readonly container?: string;
}

/** All of an engine that dock2ban acts on: every running container that opted in, those that are awaited, and every network. */
export interface DockerSnapshot {
  readonly engine: EngineSnapshot;
  readonly containers: readonly ContainerSnapshot[];
  /** Absent: there is none. */
  readonly awaited?: readonly AwaitedContainer[];
  readonly networks: readonly NetworkSnapshot[];
  /** Absent: there is none. */
  readonly problems?: readonly EngineProblem[];
}
