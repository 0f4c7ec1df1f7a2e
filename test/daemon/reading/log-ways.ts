import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { expect, vi } from 'vitest';
import { loadConfigTree } from '../../../src/config/conf/load-config-tree.ts';
import { resolveJails } from '../../../src/config/resolve.ts';
import type { Controller } from '../../../src/control/controller.ts';
import { Daemon } from '../../../src/daemon/daemon.ts';
import { receiverSettings } from '../../../src/daemon/reading/receiver-settings.ts';
import { engineConnector } from '../../../src/docker/engine/engine-connector.ts';
import { DryRunFirewall } from '../../../src/firewall/dry-run.ts';
import { reachedAt } from '../../../src/sources/syslog/listen-address.ts';
import { Store } from '../../../src/store/store.ts';
import { type FakeContainer, FakeEngine, idOf } from '../../docker/fake-engine.ts';
import { FakeLogs } from '../../docker/fake-logs.ts';
import { messagesOf } from '../../sources/docker/fake-container-log.ts';
import { scriptedJournal } from '../../sources/journal/scripted-journal.ts';
import type { Event } from '../jails/live-daemon.ts';

const receiverPort = 20_000 + (process.pid % 20_000);
const builtinDir = fileURLToPath(new URL('../../../filters', import.meta.url));

/** A container of a jail for nginx-proxy. */
export function web(changes: Partial<FakeContainer>): FakeContainer {
  return { id: idOf('a1'), name: 'web', labels: { 'fail2ban.jail': 'nginx-proxy' }, ...changes };
}

/** The n-th client's address. */
export const ip = (n: number): string => `198.51.100.${n}`;

/** How nginx-proxy logs a failure of the n-th client. */
export const request = (n: number): string =>
  `app.example.com ${ip(n)} - - [x] "GET /x HTTP/1.1" 404 1 "-" "curl" "-"`;

/** A daemon with every way that a container's lines may come, and an engine that keeps a copy. It can be started again. */
export class LogWays {
  readonly folder = mkdtempSync(join(tmpdir(), 'dock2ban-ways-'));
  readonly syslog = join(this.folder, 'syslog');
  /** Of the receiver. */
  socketPath = join(this.folder, 'run/syslog.sock');
  /** Before the start: the networks from which the receiver takes lines; if any, it listens on all addresses. */
  allow = '';
  #listen = 'unix' as 'unix' | 'tcp' | 'udp';
  readonly engine = new FakeEngine();
  readonly logs = new FakeLogs(this.engine);
  readonly journal = scriptedJournal();
  events: Event[] = [];
  #control: Controller | undefined;
  #end = new AbortController();
  #done: Promise<void> = Promise.resolve();

  get control(): Controller {
    return this.#control!;
  }

  /** Where the receiver listens. */
  get address(): string {
    return this.#listen === 'unix'
      ? `unix://${this.socketPath}`
      : `${this.#listen}://127.0.0.1:${receiverPort}`;
  }

  /** Has the receiver listen by another transport. @returns its address */
  listen(transport: 'unix' | 'tcp' | 'udp'): string {
    this.#listen = transport;
    return this.address;
  }

  async start(containers: FakeContainer[]): Promise<void> {
    this.engine.containers = containers;
    this.events = [];
    const tree = await loadConfigTree({ builtinDir, configDir: join(this.folder, 'fail2ban') });
    const listen = this.allow === '' ? this.address : this.address.replace('127.0.0.1', '0.0.0.0');
    const receiver = receiverSettings({ listen, allow: this.allow })!;
    const daemon = new Daemon({
      version: '0.0.0',
      logger: pino({ level: 'info' }, { write: (line: string) => void this.events.push(JSON.parse(line)) }),
      connectDocker: engineConnector(`unix://${this.engine.socketPath}`),
      createFirewall: (neverBan) => new DryRunFirewall({ neverBan, report: () => undefined }),
      resolve: ({ containers: list }) =>
        resolveJails({
          tree,
          containers: list,
          compileFilter: () => undefined,
          receivers: receiver.listen.flatMap((at) => reachedAt(at, [])),
        }),
      openStore: (hooks) => new Store({ stateDir: join(this.folder, 'state'), purgeAge: 86_400, ...hooks }),
      syslogFile: this.syslog,
      receiver,
      journal: { start: this.journal.start, place: [], random: () => 0.999 },
    });
    this.#control = daemon.control();
    this.#end = new AbortController();
    const { signal } = this.#end;
    this.#done = (async () => {
      await daemon.run(signal);
      await daemon.stop(false);
    })();
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#done;
  }

  async sees(event: string, fields: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const wanted = expect.objectContaining({ event, ...fields }) as { asymmetricMatch(one: Event): boolean };
    const isSeen = (): boolean => this.events.some((one) => wanted.asymmetricMatch(one));
    await vi.waitUntil(isSeen, { timeout: 20_000, interval: 10 }).catch((cause: unknown) => {
      const seen = this.events.map(({ msg }) => msg).join('\n');
      throw new Error(`no event ${event} ${JSON.stringify(fields)} among:\n${seen}`, { cause });
    });
  }

  /** The events of a kind. */
  of(kind: string): Event[] {
    return this.events.filter(({ event }) => event === kind);
  }

  /** Addresses in whose lines a failure was found, one for each. */
  get found(): unknown[] {
    return this.of('found').map(({ ip: address }) => address);
  }

  /** A line in Docker's own copy, and with `stream` 2 of standard error. @param at epoch milliseconds */
  copy(line: string, at: number, stream: 1 | 2 = 1): void {
    this.logs.log(idOf('a1'), ...messagesOf(stream, BigInt(at) * 1_000_000n, line));
  }

  /** Records in the syslog file. @param at epoch milliseconds */
  record(at: number, ...messages: readonly string[]): void {
    const stamp = new Date(at).toISOString();
    appendFileSync(this.syslog, messages.map((one) => `${stamp} host web[1]: ${one}\n`).join(''));
  }

  async close(): Promise<void> {
    await this.stop();
    await this.engine.stop();
    rmSync(this.folder, { recursive: true });
  }
}
