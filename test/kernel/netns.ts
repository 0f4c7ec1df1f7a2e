import { spawn, type ChildProcess } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemTools, type Tools } from '../../src/firewall/tool/exec.ts';

/** A network namespace of its own, as long as it is open: whatever a test does to netfilter stays in there. */
export class Netns {
  readonly #holder: ChildProcess;
  readonly pid: number;
  /** The system's tools, working in this namespace. */
  readonly tools: Tools;

  static async open(): Promise<Netns> {
    const holder = spawn('unshare', ['-n', 'sleep', '600'], { stdio: 'ignore' });
    const netns = new Netns(holder);
    const own = readlinkSync('/proc/self/ns/net');
    for (let i = 0; i < 200; i += 1) {
      if (netns.path !== undefined && readlinkSync(netns.path) !== own) break;
      await sleep(10);
    }
    await netns.sh('ip', 'link', 'set', 'lo', 'up');
    return netns;
  }

  private constructor(holder: ChildProcess) {
    if (holder.pid === undefined) throw new Error('unshare did not start');
    this.#holder = holder;
    this.pid = holder.pid;
    const enter = (command: string, args: readonly string[]): string[] => [
      `--net=${this.path}`,
      command,
      ...args,
    ];
    this.tools = {
      run: (command, args, options) => systemTools.run('nsenter', enter(command, args), options),
      converse: (command, args, listener) => systemTools.converse('nsenter', enter(command, args), listener),
    };
  }

  get path(): string {
    return `/proc/${this.pid}/ns/net`;
  }

  get procNet(): string {
    return `/proc/${this.pid}/net`;
  }

  /** Runs a tool in it and returns what it prints. */
  async sh(command: string, ...args: string[]): Promise<string> {
    return (await this.tools.run(command, args)).stdout;
  }

  async feed(input: string, command: string, ...args: string[]): Promise<void> {
    await this.tools.run(command, args, { input });
  }

  close(): void {
    this.#holder.kill('SIGKILL');
  }
}
