import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { Container, type ContainerOptions, runArguments } from './container.ts';
import type { Engine } from './engine.ts';
import { labImages } from './images.ts';
import { hostAddresses } from './link.ts';
import type { HostNamespace, InsideOptions } from './namespace.ts';

export interface ExecOptions extends InsideOptions {
  readonly input?: string;
  /** Milliseconds; default 60,000. */
  readonly timeoutMs?: number;
  /** Whether a failure throws; default true. */
  readonly reject?: boolean;
}

export interface ExecResult {
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output and error in the order in which they came. */
  readonly all: string;
  readonly exitCode: number | undefined;
}

/** A program that runs on inside the host until it is killed. */
export type HostProcess = ReturnType<typeof startProcess>;

/** Compose and the plain client find their configuration, and the plug-in, here. */
export const dockerConfigFolder = '/run/docker-config';

/** What the docker client needs to find the host's engine. */
export const dockerEnv = { DOCKER_CONFIG: dockerConfigFolder, DOCKER_HOST: 'unix:///run/docker.sock' };

/** The Docker host of a lab. Paths, processes and addresses are the host's own. */
export class LabHost {
  readonly ip4 = hostAddresses.ip4;
  readonly ip6 = hostAddresses.ip6;
  readonly #namespace: HostNamespace;
  readonly #engine: Engine;
  readonly #startEngine: () => Promise<void>;

  /** @param startEngine starts the engine with this lab's options */
  constructor(namespace: HostNamespace, engine: Engine, startEngine: () => Promise<void>) {
    this.#namespace = namespace;
    this.#engine = engine;
    this.#startEngine = startEngine;
  }

  /** A process that holds the host's namespaces, as the machine numbers it: for `nsenter --target`. */
  get pid(): number {
    return this.#namespace.pid;
  }

  /** The engine's socket as this process sees it, for an API client. */
  get dockerSocket(): string {
    return this.#engine.socketPath;
  }

  /** Where this process sees a file of the host. */
  path(inside: string): string {
    return this.#namespace.path(inside);
  }

  /**
   * Runs a program on the host to its end.
   *
   * @throws execa's error if it fails or takes too long, unless `reject` is false
   */
  async exec(argv: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const { input = '', timeoutMs = 60_000, reject = true } = options;
    const result = await execa(...this.#namespace.command(argv, options), {
      input,
      timeout: timeoutMs,
      reject,
      all: true,
    });
    return { stdout: result.stdout, stderr: result.stderr, all: result.all, exitCode: result.exitCode };
  }

  /** Starts a program on the host that runs on: a daemon, `docker logs --follow`. It ends with the lab at the latest. */
  spawn(argv: readonly string[], options: InsideOptions = {}): HostProcess {
    return startProcess(this.#namespace.command(argv, options));
  }

  /** Runs Debian's docker client; resolves to its output. `logs` gives both streams. Throws if it fails. */
  async docker(...args: string[]): Promise<string> {
    const result = await this.exec(dockerCommand(args), { env: dockerEnv, timeoutMs: 120_000 });
    return args[0] === 'logs' ? result.all : result.stdout;
  }

  /** As `docker`, without throwing. */
  async tryDocker(...args: string[]): Promise<ExecResult> {
    return this.exec(dockerCommand(args), { env: dockerEnv, timeoutMs: 120_000, reject: false });
  }

  /** Runs docker compose version 2 in a folder of the machine. Throws if it fails. */
  async compose(args: readonly string[], options: { cwd: string }): Promise<string> {
    const command = dockerCommand(['compose', '--ansi', 'never', ...args]);
    return (await this.exec(command, { ...options, env: dockerEnv, timeoutMs: 120_000 })).all;
  }

  /** Follows a container's output. */
  follow(container: string): HostProcess {
    return this.spawn(dockerCommand(['logs', '--follow', container]), { env: dockerEnv });
  }

  /** Starts a container in the background. */
  async run(options: ContainerOptions = {}): Promise<Container> {
    const id = await this.docker(...runArguments({ image: labImages.nginxProxy, ...options }));
    return new Container(this, options.name ?? id);
  }

  /** A container that something else started. */
  container(name: string): Container {
    return new Container(this, name);
  }

  /** The text of a log file; empty if there is none. */
  async readLog(file = '/var/log/syslog'): Promise<string> {
    return readFile(this.path(file), 'utf8').catch(() => '');
  }

  /** Stops the engine and starts it again; with SIGKILL as after a crash. Containers with `--restart always` then run anew. */
  async restartEngine(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const ran = signal === 'SIGKILL' ? await this.#kept() : [];
    await this.#engine.stop(signal);
    await this.#startEngine();
    if (ran.length === 0) return;
    const allRunAnew = async (): Promise<boolean> =>
      (await Promise.all(ran.map(async ({ id, pid }) => this.#runsAnew(id, pid)))).every(Boolean);
    await this.until('containers run anew', allRunAnew, 30_000);
    // One that the engine finds ended late ends once more.
    await delay(1_000);
    await this.until('containers still run', allRunAnew, 30_000);
  }

  /** Containers that the engine must start again after a crash. */
  async #kept(): Promise<{ id: string; pid: string }[]> {
    const ids = (await this.docker('ps', '--quiet')).split('\n').filter((id) => id !== '');
    if (ids.length === 0) return [];
    const format = '{{.HostConfig.RestartPolicy.Name}} {{.Id}} {{.State.Pid}}';
    const lines = (await this.docker('inspect', '--format', format, ...ids)).split('\n');
    return lines.flatMap((line) => {
      const [policy, id = '', pid = ''] = line.split(' ');
      return policy === 'always' ? [{ id, pid }] : [];
    });
  }

  /**
   * After a crash the engine ends what still runs, and starts it again. If the end comes late, 20.10 has taken the old process for the new one,
   * and does nothing more.
   */
  async #runsAnew(id: string, pid: string): Promise<boolean> {
    const [status, now] = (
      await this.docker('inspect', '--format', '{{.State.Status}} {{.State.Pid}}', id)
    ).split(' ');
    if (status === 'exited') await this.docker('start', id);
    return status === 'running' && now !== pid;
  }

  /** Stops the engine; `restartEngine` starts it. */
  async stopEngine(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    await this.#engine.stop(signal);
  }

  /**
   * Asks again and again until the answer is true.
   *
   * @throws with `what` if that takes too long
   */
  async until(what: string, isSo: () => Promise<boolean>, timeoutMs = 10_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!(await isSo())) {
      if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
      await delay(50);
    }
  }
}

// The return type is execa's, inferred from the options.
function startProcess([program, args]: [string, string[]]) {
  return execa(program, args, { stdin: 'ignore', reject: false, all: true });
}

function dockerCommand(args: readonly string[]): string[] {
  return ['/usr/bin/docker', ...args];
}
