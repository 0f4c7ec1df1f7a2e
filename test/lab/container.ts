import type { LabHost } from './host.ts';

/** What a container is to be like; see `docker run`. */
export interface ContainerOptions {
  /** Default: the nginx-proxy stand-in. */
  readonly image?: string;
  readonly name?: string;
  /** `8080:80`, `192.0.2.1:53:53/udp`, … */
  readonly publish?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly network?: string;
  /** The log driver and its options; default: json-file. */
  readonly log?: { readonly driver: string; readonly options?: Readonly<Record<string, string>> };
  /** More arguments of `docker run`. */
  readonly arguments?: readonly string[];
  readonly command?: readonly string[];
}

/** The arguments of `docker` that start it in the background. */
export function runArguments(options: ContainerOptions & { readonly image: string }): string[] {
  return [
    'run',
    '--detach',
    ...(options.name === undefined ? [] : ['--name', options.name]),
    ...(options.publish ?? []).flatMap((port) => ['--publish', port]),
    ...pairs('--label', options.labels),
    ...pairs('--env', options.env),
    ...(options.network === undefined ? [] : ['--network', options.network]),
    ...(options.log === undefined ? [] : ['--log-driver', options.log.driver]),
    ...pairs('--log-opt', options.log?.options),
    ...(options.arguments ?? []),
    options.image,
    ...(options.command ?? []),
  ];
}

function pairs(flag: string, values: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${value}`]);
}

/** A container on the lab's host, by name or id. */
export class Container implements AsyncDisposable {
  readonly #host: LabHost;
  readonly name: string;

  constructor(host: LabHost, name: string) {
    this.#host = host;
    this.name = name;
  }

  /** The value of a Go template over `docker inspect`. */
  async inspect(template: string): Promise<string> {
    return this.#host.docker('inspect', '--format', template, this.name);
  }

  /** Its first process, as the host numbers it; 0 if it doesn't run. */
  async pid(): Promise<number> {
    return Number(await this.inspect('{{.State.Pid}}'));
  }

  /** The process that its first one, an init, runs; as the host numbers it. */
  async pidUnderInit(): Promise<number> {
    const { stdout } = await this.#host.exec(['pgrep', '--oldest', '--parent', String(await this.pid())]);
    return Number(stdout);
  }

  /** Kills its first process as a crash would, without the engine's knowledge. */
  async crash(): Promise<void> {
    await this.#host.exec(['kill', '-s', 'KILL', String(await this.pid())]);
  }

  /** Output so far, standard output and standard error together. */
  async logs(): Promise<string> {
    return this.#host.docker('logs', this.name);
  }

  /** Runs a program in it; resolves to its standard output. Throws if it fails. */
  async exec(...argv: string[]): Promise<string> {
    return this.#host.docker('exec', this.name, ...argv);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host.docker('rm', '--force', '--volumes', this.name);
  }
}
