import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Netns } from './netns.ts';

const server = `
require('node:net').createServer((s) => s.on('error', () => {}).pipe(s))
  .listen(Number(process.argv[1]), process.argv[2], () => console.log('ready'));
require('node:dgram').createSocket(process.argv[2].includes(':') ? 'udp6' : 'udp4')
  .on('message', function (m, { port, address }) { this.send(m, port, address); })
  .bind(Number(process.argv[1]), process.argv[2]);`;

const client = `
const [port, host, localAddress] = process.argv.slice(1);
const socket = require('node:net').connect({ port: Number(port), host, localAddress });
socket.on('connect', () => console.log('ready')).on('data', (d) => process.stdout.write(d)).on('error', (e) => console.log(e.code));
process.stdin.pipe(socket);`;

const datagram = `
const [port, host, localAddress] = process.argv.slice(1);
const socket = require('node:dgram').createSocket(host.includes(':') ? 'udp6' : 'udp4');
socket.bind(0, localAddress, () => console.log('ready'));
socket.on('message', (m) => process.stdout.write(m));
process.stdin.on('data', (d) => socket.send(d, Number(port), host));`;

/** Connected, so that the kernel tells of ICMP errors. */
const connectedDatagram = `
const [port, host, localAddress] = process.argv.slice(1);
const socket = require('node:dgram').createSocket(host.includes(':') ? 'udp6' : 'udp4');
socket.bind(0, localAddress, () => socket.connect(Number(port), host, () => console.log('ready')));
socket.on('message', (m) => process.stdout.write(m)).on('error', (e) => console.log(e.code));
process.stdin.on('data', (d) => socket.send(d));`;

/** A program in a namespace that talks in lines. */
export class Party {
  readonly #child: ChildProcess;
  #heard: string[] = [];
  #wake: (() => void) | undefined;

  /** A server that sends back what it gets, over TCP and UDP. Resolves when it listens. */
  static async echo(netns: Netns, port: number, address: string): Promise<Party> {
    const party = new Party(netns, server, [String(port), address]);
    if ((await party.next(5000)) !== 'ready') throw new Error(`nothing listens on ${address} port ${port}`);
    return party;
  }

  /** A client with a source address of its own. Its first line is `ready`, once connected. */
  static client(netns: Netns, to: string, port: number, from: string): Party {
    return new Party(netns, client, [String(port), to, from]);
  }

  /** The same over UDP. */
  static datagrams(netns: Netns, to: string, port: number, from: string): Party {
    return new Party(netns, datagram, [String(port), to, from]);
  }

  /** The same, to one partner: `ECONNREFUSED` if that says that nobody listens. */
  static connectedDatagrams(netns: Netns, to: string, port: number, from: string): Party {
    return new Party(netns, connectedDatagram, [String(port), to, from]);
  }

  private constructor(netns: Netns, program: string, args: readonly string[]) {
    this.#child = spawn('nsenter', [`--net=${netns.path}`, process.execPath, '-e', program, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      this.#heard.push(line);
      this.#wake?.();
    });
  }

  /** The next line, or undefined if none comes in time. Milliseconds. */
  async next(within: number): Promise<string | undefined> {
    if (this.#heard.length === 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, within);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    return this.#heard.shift();
  }

  say(line: string): void {
    this.#child.stdin!.write(`${line}\n`);
  }

  /** Says a line and tells whether it comes back. */
  async isAnswered(line: string, within = 800): Promise<boolean> {
    this.#heard = [];
    this.say(line);
    return (await this.next(within)) === line;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
