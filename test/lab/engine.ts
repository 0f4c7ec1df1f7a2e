import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { cgroupParent, type HostNamespace } from './namespace.ts';

const startTimeoutMs = 60_000;
const stopTimeoutMs = 20_000;
const pidFile = '/run/docker.pid';
const socketFile = '/run/docker.sock';

/** Where the engine keeps its data, as the host sees it. */
export const dataFolder = '/var/lib/docker';

/** For images to be built: the engine stays away from the machine's firewall and interfaces. */
export const buildArguments: readonly string[] = ['--bridge=none', '--iptables=false', '--ip6tables=false'];

type EngineProcess = PromiseLike<unknown> & { kill(signal: 'SIGKILL'): boolean };

/** A Docker engine inside the host's namespaces. */
export class Engine {
  readonly #namespace: HostNamespace;
  readonly #logFile: string;
  #process: EngineProcess | undefined;

  /** @param logFile where the engine's own messages go */
  constructor(namespace: HostNamespace, logFile: string) {
    this.#namespace = namespace;
    this.#logFile = logFile;
  }

  /** The engine's socket as this process sees it. */
  get socketPath(): string {
    return this.#namespace.path(socketFile);
  }

  /**
   * @param path the PATH that it finds iptables in
   * @throws with the end of the engine's log, if it doesn't answer in time
   */
  async start(
    engineArguments: readonly string[],
    options: { network?: 'lab' | 'machine'; path?: string } = {},
  ): Promise<void> {
    const { network = 'lab', path } = options;
    const command = this.#namespace.command(
      [
        '/usr/sbin/dockerd',
        '--host',
        `unix://${socketFile}`,
        '--pidfile',
        pidFile,
        '--config-file',
        '/run/docker-daemon.json',
        '--data-root',
        dataFolder,
        '--exec-opt',
        'native.cgroupdriver=cgroupfs',
        '--cgroup-parent',
        `/${cgroupParent}`,
        ...engineArguments,
      ],
      { network, env: path === undefined ? {} : { PATH: path } },
    );
    const log = { file: this.#logFile, append: true } as const;
    this.#process = execa(...command, {
      stdin: 'ignore',
      stdout: log,
      stderr: log,
      buffer: false,
      reject: false,
    });
    let ended = false;
    void this.#process.then(() => (ended = true));
    const deadline = Date.now() + startTimeoutMs;
    while (!(await this.#answers())) {
      if (ended || Date.now() > deadline) {
        await this.stop('SIGKILL');
        const tail = (await readFile(this.#logFile, 'utf8')).split('\n').slice(-15).join('\n');
        throw new Error(`the Docker engine didn't start:\n${tail}`);
      }
      await delay(50);
    }
  }

  /** Ends the engine; with SIGKILL as a crash would. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const process = this.#process;
    if (!process) return;
    await this.#signal(signal);
    const timeout = new AbortController();
    const expired = delay(stopTimeoutMs, 'expired', { signal: timeout.signal }).catch(() => undefined);
    if ((await Promise.race([process, expired])) === 'expired') {
      await this.#signal('SIGKILL');
      process.kill('SIGKILL');
      await process;
    }
    timeout.abort();
    this.#process = undefined;
  }

  async #signal(signal: string): Promise<void> {
    const pid = await readFile(this.#namespace.path(pidFile), 'utf8').catch(() => undefined);
    if (pid === undefined) this.#process?.kill('SIGKILL');
    else await execa(...this.#namespace.command(['kill', '-s', signal.slice(3), pid]), { reject: false });
  }

  async #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const ping = request({ socketPath: this.socketPath, path: '/_ping', timeout: 1000 }, (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      });
      ping.on('error', () => resolve(false));
      ping.on('timeout', () => ping.destroy());
      ping.end();
    });
  }
}
