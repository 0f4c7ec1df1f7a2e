import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ControlClient } from '../../src/control/client.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Milliseconds of a tick of the kernel's clock in /proc/PID/stat. */
const tick = 10;

/** dock2ban as it is shipped: compiled, in a process of its own. It changes no firewall. */
export class Daemon {
  readonly control: ControlClient;
  readonly #child: ChildProcess;
  readonly #bans = new Map<string, (at: number) => void>();
  readonly #ready = Promise.withResolvers<void>();

  private constructor(folder: string, engineSocket: string) {
    const options = {
      'docker-host': `unix://${engineSocket}`,
      firewall: 'none',
      'config-dir': join(folder, 'fail2ban'),
      'state-dir': join(folder, 'state'),
      socket: join(folder, 'control.sock'),
      'syslog-file': join(folder, 'syslog'),
      'log-format': 'json',
    };
    const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    this.control = new ControlClient(options.socket);
    this.#child = spawn(process.execPath, [join(folder, 'dist/main.js'), 'run', ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface(this.#child.stdout!).on('line', (line) => {
      if (line.includes('"event":"ready"')) this.#ready.resolve();
      if (!line.includes('"event":"ban"')) return;
      const { ip }: { ip: string } = JSON.parse(line);
      this.#bans.get(ip)?.(performance.now());
    });
  }

  /** Compiles it, starts it, and waits until it is ready. @param folder for it alone */
  static async start(folder: string, engineSocket: string): Promise<Daemon> {
    mkdirSync(folder, { recursive: true });
    for (const name of ['filters', 'node_modules', 'package.json'])
      symlinkSync(join(root, name), join(folder, name));
    const project = ['--project', join(root, 'tsconfig.build.json')];
    execFileSync(join(root, 'node_modules/.bin/tsc'), [...project, '--outDir', join(folder, 'dist')], {
      stdio: 'inherit',
    });
    writeFileSync(join(folder, 'syslog'), '');
    const daemon = new Daemon(folder, engineSocket);
    await daemon.#ready.promise;
    return daemon;
  }

  /** When an address was banned, by performance.now(). To be asked before it is. */
  async banOf(ip: string): Promise<number> {
    return new Promise((resolve) => void this.#bans.set(ip, resolve));
  }

  /** MB of 1,000,000 bytes: now, and the most so far. */
  get memory(): { readonly resident: number; readonly most: number } {
    const text = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    const of = (name: string): number =>
      (Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) * 1024) / 1e6;
    return { resident: of('VmRSS'), most: of('VmHWM') };
  }

  /** Seconds of CPU so far, of all threads. */
  get cpu(): number {
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    return ((Number(fields[11]) + Number(fields[12])) * tick) / 1000;
  }

  /** Lines that it has read of a container's log. */
  async linesOf(container: string): Promise<number> {
    const { sources } = await this.control.status();
    return sources.find(({ source }) => source === `docker:${container}`)?.lines ?? 0;
  }

  async stop(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.kill();
    await exit;
  }
}
