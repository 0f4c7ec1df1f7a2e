import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecResult, HostProcess, LabHost } from '../../test/lab/host.ts';
import type { Contender } from './contender.ts';
import { type Memory, readMemory } from './memory.ts';

const jail = 'nginx-proxy';
const log = '/var/log/syslog';
/** Milliseconds. */
const startTimeout = 30_000;
const stopTimeout = 15_000;

/** Not one of the attackers: its ban makes fail2ban set up its chain before anything is measured. */
const firstBanned = '203.0.113.250';

const filter = String.raw`[Definition]
failregex = ^.*nginx-proxy.*\s<HOST>\s-\s-\s.*HTTP/.*" 404
`;

/** The ports are the container's: DOCKER-USER comes after Docker has translated them. No name server answers in the lab. */
const jails = `[DEFAULT]
ignoreself = false
usedns = no

[${jail}]
enabled = true
backend = pyinotify
filter = ${jail}
logpath = ${log}
maxretry = 5
findtime = 600
bantime = 600
action = iptables-multiport[name=${jail}, port="80,443", protocol=tcp, chain=DOCKER-USER]
`;

function serverSettings(folder: string): string {
  return `[DEFAULT]
socket = ${join(folder, 'socket')}
pidfile = ${join(folder, 'pid')}
logtarget = ${join(folder, 'log')}
dbfile = None
`;
}

/** Debian's fail2ban on the lab's host, with its own stock configuration and one jail, all its files in one folder. */
export class Fail2ban implements Contender, AsyncDisposable {
  readonly name = 'fail2ban';
  readonly #host: LabHost;
  readonly #folder: string;
  #server: HostProcess | undefined;

  private constructor(host: LabHost, folder: string) {
    this.#host = host;
    this.#folder = folder;
  }

  /** @param folder an empty folder of the machine @throws with its log if it doesn't start */
  static async start(host: LabHost, folder: string): Promise<Fail2ban> {
    const config = join(folder, 'config');
    await cp('/etc/fail2ban', config, { recursive: true });
    // Debian's own change turns sshd on.
    await rm(join(config, 'jail.d'), { recursive: true, force: true });
    await mkdir(join(config, 'jail.d'));
    await writeFile(join(config, 'fail2ban.local'), serverSettings(folder));
    await writeFile(join(config, 'jail.local'), jails);
    await writeFile(join(config, 'filter.d', `${jail}.conf`), filter);
    const fail2ban = new Fail2ban(host, folder);
    await fail2ban.#start();
    return fail2ban;
  }

  async bans(ip: string): Promise<boolean> {
    const { stdout } = await this.#host.exec(['iptables', '-w', '-S', `f2b-${jail}`], { reject: false });
    return stdout.includes(`-s ${ip}/32 `);
  }

  async memory(): Promise<Memory> {
    return readMemory(this.#host, Number(await readFile(join(this.#folder, 'pid'), 'utf8')));
  }

  /** A new server on an empty log: it may still have been reading the flood of the round before. */
  async refresh(): Promise<void> {
    await this.#stop();
    await this.#host.exec(['truncate', '--size', '0', log]);
    await this.#start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }

  async #start(): Promise<void> {
    const config = join(this.#folder, 'config');
    this.#server = this.#host.spawn(['fail2ban-server', '-c', config, '-f', 'start']);
    const isUp = async (): Promise<boolean> => (await this.#ask('status', jail)).exitCode === 0;
    try {
      await this.#host.until('fail2ban runs its jail', isUp, startTimeout);
      const isBanned = async (): Promise<boolean> => this.bans(firstBanned);
      await this.#ask('set', jail, 'banip', firstBanned);
      await this.#host.until('fail2ban has its chain', isBanned, startTimeout);
    } catch (cause) {
      const said = await readFile(join(this.#folder, 'log'), 'utf8').catch(() => 'no log');
      await this.#stop();
      throw new Error(`fail2ban didn't start: ${said}`, { cause });
    }
  }

  /** Ends it in order, so that it takes its rules along; then in any case. */
  async #stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    await this.#ask('stop');
    const timer = setTimeout(() => server.kill('SIGKILL'), stopTimeout);
    await server;
    clearTimeout(timer);
  }

  async #ask(...command: string[]): Promise<ExecResult> {
    const argv = ['fail2ban-client', '-c', join(this.#folder, 'config'), ...command];
    return this.#host.exec(argv, { reject: false, timeoutMs: startTimeout });
  }
}
