import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { ControlClient } from '../../src/control/client.ts';
import { type FakeContainer, FakeEngine, idOf } from '../docker/fake-engine.ts';
import { FakeLogs } from '../docker/fake-logs.ts';
import { messagesOf } from '../sources/docker/fake-container-log.ts';

/** Containers that are read from Docker's log API, from the syslog file, and through the receiver. */
const containers = { docker: 38, syslog: 6, receiver: 6 };
const hostLogs = 6;
/** Clients that fail again and again: bans come and go, and what is remembered of them is bounded. */
const offenders = 400;
/** Messages of a container that the engine keeps. */
const kept = 200;

const bad = (ip: string): string => `app failed login from ${ip}`;
const good = 'app GET /index.html 200 and nothing else to tell';

/** A day of a busy host: what each round of it has, a real one has in minutes. */
export class Workload {
  readonly folder: string;
  readonly engine = new FakeEngine();
  /** Failures that were logged, by jail. */
  readonly failures: Record<string, number> = {};
  readonly #logs = new FakeLogs(this.engine);
  readonly #control: ControlClient;
  #round = 0;
  #created = 0;
  #lines = 0;

  constructor(folder: string) {
    this.folder = folder;
    this.#control = new ControlClient(join(folder, 'control.sock'));
  }

  async begin(): Promise<void> {
    await this.engine.start();
    for (const name of ['fail2ban', 'logs']) mkdirSync(join(this.folder, name));
    writeFileSync(join(this.folder, 'syslog'), '');
    const jail = `enabled = true\nfilter =\nfailregex = failed login from <HOST>\nlogpath = ${this.#path('logs/*.log')} head\n`;
    const limits = 'maxretry = 2\nfindtime = 20\nbantime = 5\n';
    writeFileSync(this.#path('fail2ban/jail.local'), `[DEFAULT]\n${limits}\n[host]\n${jail}`);
    for (let n = 0; n < hostLogs; n++) writeFileSync(this.#path(`logs/${n}.log`), '');
    const all = [
      ...Array.from({ length: containers.docker }, (_, n) => this.#container(`d${n}`, 'json-file', {})),
      ...Array.from({ length: containers.syslog }, (_, n) =>
        this.#container(`s${n}`, 'syslog', { tag: `s${n}` }),
      ),
      ...Array.from({ length: containers.receiver }, (_, n) =>
        this.#container(`r${n}`, 'syslog', {
          tag: `r${n}`,
          'syslog-address': `unix://${this.#path('receiver.sock')}`,
        }),
      ),
    ];
    this.engine.containers = all;
  }

  async end(): Promise<void> {
    await this.engine.stop();
  }

  /** Every log grows; some are rotated, some containers re-created, some connections cut. */
  async round(): Promise<void> {
    const round = ++this.#round;
    for (const { id, name } of this.engine.containers) {
      const text = (): string => this.#text(jailOf(name));
      if (name.startsWith('d')) this.#logDocker(id, text());
      else if (name.startsWith('s')) appendFileSync(this.#path('syslog'), syslogLine(name, text()));
    }
    for (let n = 0; n < hostLogs; n++) {
      const line = (): string => `${new Date().toISOString()} ${this.#text('host')}\n`;
      appendFileSync(this.#path(`logs/${n}.log`), line() + line());
    }
    await this.#send();
    if (round % 3 === 0) await this.#recreate();
    if (round % 5 === 0) this.#rotate(this.#path(`logs/${(round / 5) % hostLogs}.log`));
    if (round % 11 === 0) this.#rotate(this.#path('syslog'));
    if (round % 13 === 0) this.engine.cutStreams();
    if (round % 4 === 0) this.#logs.end(this.engine.containers[round % containers.docker]!.id);
    if (round % 2 === 0) await this.#control.jail('host');
    if (round % 7 === 0) await this.#control.status();
  }

  /** Mostly one that is well. */
  #text(jail: string): string {
    const n = ++this.#lines;
    if (n % 4 !== 0) return `${good} ${n}`;
    this.failures[jail] = (this.failures[jail] ?? 0) + 1;
    const client = (n / 4) % offenders;
    return bad(`198.18.${client >> 8}.${client & 255}`);
  }

  #logDocker(id: string, text: string): void {
    this.#logs.log(id, ...messagesOf(1, BigInt(Date.now()) * 1_000_000n, text));
    const messages = this.#logs.messages.get(id) ?? [];
    if (messages.length > 2 * kept) this.#logs.messages.set(id, messages.slice(-kept));
  }

  async #send(): Promise<void> {
    const text = this.engine.containers
      .filter(({ name }) => name.startsWith('r'))
      .map(({ name }) => `<30>${syslogLine(name, this.#text(jailOf(name)))}`);
    await new Promise<void>((resolve, reject) => {
      const socket = connect(this.#path('receiver.sock'), () => socket.end(text.join('')));
      socket.on('close', () => resolve());
      socket.on('error', reject);
      socket.resume();
    });
  }

  /** As `docker compose up` does after a change: another container of the same name. */
  async #recreate(): Promise<void> {
    const index = this.#round % this.engine.containers.length;
    const old = this.engine.containers[index]!;
    const { logDriver = '', logOptions = {} } = old;
    this.engine.containers = this.engine.containers.with(
      index,
      this.#container(old.name, logDriver, logOptions),
    );
    this.#logs.end(old.id);
    await this.engine.emit('{}');
    // The engine forgets its log with it; by then its last lines have been read.
    setTimeout(() => this.#logs.messages.delete(old.id), 10_000).unref();
  }

  #rotate(path: string): void {
    rmSync(`${path}.2`, { force: true });
    try {
      renameSync(`${path}.1`, `${path}.2`);
    } catch {
      // It is the first time.
    }
    renameSync(path, `${path}.1`);
    writeFileSync(path, '');
  }

  #container(name: string, logDriver: string, logOptions: Record<string, string>): FakeContainer {
    const labels = { 'fail2ban.jail': jailOf(name), 'fail2ban.failregex': 'failed login from <HOST>' };
    return { id: idOf((++this.#created).toString(16).padStart(8, '0')), name, labels, logDriver, logOptions };
  }

  #path(name: string): string {
    return join(this.folder, name);
  }
}

function jailOf(container: string): string {
  return `${container[0]}${Number(container.slice(1)) % 4}`;
}

function syslogLine(program: string, text: string): string {
  return `${new Date().toISOString()} host ${program}[7]: ${text}\n`;
}
