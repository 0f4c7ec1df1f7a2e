import { mkdir, readFile, realpath } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { execa } from 'execa';

/** Where the lab keeps what lasts no longer than itself. */
export const runtimeDirectory = '/run/dock2ban-lab';

/** The parent of all control groups that the lab's engine makes. */
export const cgroupParent = 'd2b-lab';

/** How long a lab waits for another to end, in seconds: longer than a whole test run takes. */
const lockTimeout = 3600;

type Holder = ReturnType<typeof startHolder>;

/** How to run a program inside the namespaces. */
export interface InsideOptions {
  /** A path as the host sees it. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The network it sees: the lab's (default), or the machine's own, to fetch packages while images are built. */
  readonly network?: 'lab' | 'machine';
}

/**
 * The namespaces that make a Docker host: processes, mounts, network, host name, IPC. Its first process (tini) waits for the end of its
 * standard input and is killed by the kernel when this process dies; the kernel then kills everything inside and
 * drops mounts and interfaces. So a killed lab leaves nothing but files behind.
 *
 * The lock on the runtime directory is held by the same process: there is one lab at a time.
 */
export class HostNamespace implements AsyncDisposable {
  readonly #holder: Holder;
  /** The process that holds the namespaces, as the machine numbers it. */
  readonly pid: number;

  private constructor(holder: Holder, pid: number) {
    this.#holder = holder;
    this.pid = pid;
  }

  /**
   * @param directories folders of the machine to be put in place of folders of the host: `{ '/var/log': '/tmp/x' }`
   * @throws if another lab doesn't end in time
   */
  static async create(
    hostname: string,
    directories: Readonly<Record<string, string>>,
    report: (text: string) => void,
  ): Promise<HostNamespace> {
    await mkdir(runtimeDirectory, { recursive: true });
    const holder = startHolder();
    await echoes(holder, report);
    const namespace = new HostNamespace(holder, holder.pid!);
    try {
      await removeCgroups();
      await namespace.#furnish(hostname, directories);
    } catch (error) {
      await namespace[Symbol.asyncDispose]();
      throw error;
    }
    return namespace;
  }

  /** The program and arguments that run `argv` inside. What is run is ended with SIGTERM when its caller goes. */
  command(argv: readonly string[], options: InsideOptions = {}): [string, string[]] {
    const { cwd = '/', env = {}, network = 'lab' } = options;
    const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    return [
      'nsenter',
      [
        '--target',
        String(this.pid),
        '--mount',
        '--uts',
        '--ipc',
        `--pid=/proc/${this.pid}/ns/pid_for_children`,
        ...(network === 'lab' ? ['--net'] : []),
        'setpriv',
        '--pdeathsig',
        'TERM',
        'env',
        '-C',
        cwd,
        ...variables,
        ...argv,
      ],
    ];
  }

  /** Where the machine sees a path of the host. */
  path(inside: string): string {
    return `/proc/${this.pid}/root${inside}`;
  }

  /** Kills every process inside. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#holder.stdin.end();
    const ended = await Promise.race([this.#holder, delay(2000, undefined, { ref: false })]);
    if (ended === undefined) {
      this.#holder.kill('SIGKILL');
      await this.#holder;
    }
    await removeCgroups();
  }

  async #run(...argv: string[]): Promise<void> {
    await execa(...this.command(argv));
  }

  async #furnish(hostname: string, directories: Readonly<Record<string, string>>): Promise<void> {
    await this.#run('hostname', hostname);
    for (const [inside, outside] of Object.entries(directories)) {
      await this.#run('mkdir', '-p', inside);
      await this.#run('mount', '--bind', outside, inside);
    }
    await this.#furnishDev();
    const resolver = await realpath('/etc/resolv.conf').catch(() => undefined);
    const resolverText = resolver?.startsWith('/run/') ? await readFile(resolver, 'utf8') : undefined;
    await this.#run('mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/run');
    await this.#run('mkdir', '-p', '/run/lock');
    if (resolver !== undefined && resolverText !== undefined) {
      await this.#run('mkdir', '-p', join(resolver, '..'));
      await execa(...this.command(['tee', resolver]), { input: resolverText });
    }
  }

  /**
   * A /dev of its own. All mount namespaces share the machine's devtmpfs, so a syslog daemon that makes /dev/log
   * there would take the machine's place.
   */
  async #furnishDev(): Promise<void> {
    const draft = '/dev/shm';
    await this.#run('mount', '-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', draft);
    const nodes = ['null', 'zero', 'full', 'random', 'urandom', 'tty', 'kmsg', 'fuse', 'net/tun'];
    for (const node of nodes) {
      await execa(...this.command(['cp', '-a', '--parents', node, draft], { cwd: '/dev' }), {
        reject: false,
      });
    }
    for (const folder of ['pts', 'shm', 'mqueue']) await this.#run('mkdir', `${draft}/${folder}`);
    await this.#run('mount', '--rbind', '/dev/pts', `${draft}/pts`);
    await this.#run('mount', '-t', 'mqueue', 'mqueue', `${draft}/mqueue`);
    const links = {
      ptmx: 'pts/ptmx',
      fd: '/proc/self/fd',
      stdin: '/proc/self/fd/0',
      stdout: '/proc/self/fd/1',
      stderr: '/proc/self/fd/2',
    };
    for (const [name, target] of Object.entries(links))
      await this.#run('ln', '-s', target, `${draft}/${name}`);
    await this.#run('mount', '--move', draft, '/dev');
    await this.#run('mount', '-t', 'tmpfs', 'tmpfs', '/dev/shm');
  }
}

// The return type is execa's, inferred from the options.
function startHolder() {
  return execa(
    'setpriv',
    [
      '--pdeathsig',
      'KILL',
      'flock',
      '--no-fork',
      '--timeout',
      String(lockTimeout),
      join(runtimeDirectory, 'lock'),
      'unshare',
      '--mount',
      '--net',
      '--uts',
      '--ipc',
      '--pid',
      '--propagation',
      'private',
      '--fork',
      '--kill-child',
      '--mount-proc',
      'tini',
      '--',
      'cat',
    ],
    { buffer: false, reject: false, stderr: 'inherit' },
  );
}

/** Resolves when the first process inside runs: it sends back what it reads. */
async function echoes(holder: Holder, report: (text: string) => void): Promise<void> {
  const waiting = setTimeout(() => report('waiting for another lab to end'), 3000);
  holder.stdin.on('error', () => undefined);
  holder.stdin.write('ready\n');
  try {
    await new Promise<void>((resolve, reject) => {
      holder.stdout.once('data', () => resolve());
      void holder.then((result) =>
        reject(new Error(`the lab's namespaces can't be made: ${result.shortMessage}`)),
      );
    });
  } finally {
    clearTimeout(waiting);
  }
}

/** Empty control groups outlive their processes; those of a killed lab too. */
async function removeCgroups(): Promise<void> {
  const groups = ['/sys/fs/cgroup', '-depth', '-type', 'd', '-path', `*/${cgroupParent}*`];
  await execa('find', [...groups, '-exec', 'rmdir', '{}', '+'], { reject: false });
}
