import { defaultPolicy } from '../../src/config/labels/label-policy.ts';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { RunOptions } from '../../src/daemon/options.ts';
import { mallocSettings, nodeFlags } from '../../src/daemon/relaunch.ts';
import type { Sample } from './probe.ts';

const program = fileURLToPath(new URL('../../src/daemon/process.ts', import.meta.url));
const probe = new URL('probe.ts', import.meta.url).href;

/** `dock2ban run` in a process of its own, which tells what it holds on to. */
export class DaemonProcess {
  /** How many events of each kind it has logged. */
  readonly events = new Map<string, number>();
  /** How many failures it has counted in each jail. */
  readonly found: Record<string, number> = {};
  /** The first lines of a level above `info` that tell of faults. */
  readonly faults: string[] = [];
  readonly #child: ChildProcess;

  /** @param folder with `fail2ban` (configuration) and `syslog`; it keeps its state there */
  constructor(folder: string, engineSocket: string) {
    const options: RunOptions = {
      dockerHost: `unix://${engineSocket}`,
      configDir: join(folder, 'fail2ban'),
      stateDir: join(folder, 'state'),
      socket: join(folder, 'control.sock'),
      syslogFile: join(folder, 'syslog'),
      watchConfig: false,
      labels: defaultPolicy,
      receiver: { listen: `unix://${join(folder, 'receiver.sock')}`, allow: '' },
      ignoreip: '',
      firewall: 'none',
      logLevel: 'info',
      logFormat: 'json',
      onStop: 'keep',
    };
    // As `dock2ban run` starts it, with the probe.
    this.#child = fork(program, ['0.0.0', JSON.stringify(options)], {
      execArgv: [...nodeFlags, '--expose-gc', '--import', probe],
      env: { ...process.env, ...mallocSettings },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    createInterface(this.#child.stdout!).on('line', (line) => this.#take(line));
  }

  /** How many events of these kinds it has logged. */
  count(...kinds: readonly string[]): number {
    return kinds.reduce((sum, kind) => sum + (this.events.get(kind) ?? 0), 0);
  }

  async sample(): Promise<Sample> {
    const answer = once(this.#child, 'message');
    this.#child.send('sample');
    const [sample] = (await answer) as [Sample];
    return sample;
  }

  /** @returns the exit code */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode === null) {
      const exit = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await exit;
    }
    return this.#child.exitCode;
  }

  #take(line: string): void {
    const {
      event,
      level,
      jail,
      reason,
    }: { event: string; level: number | string } & Partial<Record<'jail' | 'reason', string>> =
      JSON.parse(line);
    this.events.set(event, (this.events.get(event) ?? 0) + 1);
    const isFailure = event === 'found' || (event === 'ignored' && reason === 'expired bantime');
    if (isFailure && jail !== undefined) this.found[jail] = (this.found[jail] ?? 0) + 1;
    const isFault = level === 'error' || level === 'fatal' || Number(level) >= 50;
    if (isFault && this.faults.length < 20) this.faults.push(line);
  }
}
