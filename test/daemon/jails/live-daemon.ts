import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { pino } from 'pino';
import { vi } from 'vitest';
import type { Controller } from '../../../src/control/controller.ts';
import { defaultPolicy, type LabelPolicy } from '../../../src/config/labels/label-policy.ts';
import { checkFilter } from '../../../src/filter/filter-fault.ts';
import { ConfigurationFiles } from '../../../src/daemon/jails/configuration-files.ts';
import { Daemon } from '../../../src/daemon/daemon.ts';
import { engineConnector } from '../../../src/docker/engine/engine-connector.ts';
import { DryRunFirewall } from '../../../src/firewall/dry-run.ts';
import type { BanFirewall, Firewall } from '../../../src/firewall/firewall.ts';
import type { NeverBan } from '../../../src/firewall/bans/never-ban.ts';
import { Store } from '../../../src/store/store.ts';
import { type FakeContainer, FakeEngine } from '../../docker/fake-engine.ts';
import { scriptedJournal } from '../../sources/journal/scripted-journal.ts';

const builtinDir = fileURLToPath(new URL('../../../filters', import.meta.url));

export interface Event {
  readonly event: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A daemon on a folder of its own, with real configuration files and logs, and an engine that plays. */
export class LiveDaemon {
  readonly folder = mkdtempSync(join(tmpdir(), 'dock2ban-live-'));
  readonly engine = new FakeEngine();
  /** Nothing is logged in it but by the test. */
  readonly journal = scriptedJournal();
  readonly events: Event[] = [];
  /** Default: one that only reports. */
  firewall: ((neverBan: () => NeverBan) => BanFirewall) | undefined;
  /** Of the jails of `section`. */
  readonly failregex = String.raw`^\s*bad <HOST>$`;
  /** Before the start: what labels may do. */
  labels: LabelPolicy = defaultPolicy;
  /** Before the start: epoch milliseconds; default: the machine's. */
  clock: (() => number) | undefined;
  #end = new AbortController();
  #control: Controller | undefined;
  #done: Promise<void> = Promise.resolve();

  /** @param file below the configuration directory */
  config(file: string, text: string): void {
    const path = join(this.configDir, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }

  get configDir(): string {
    return join(this.folder, 'fail2ban');
  }

  get control(): Controller {
    return this.#control!;
  }

  /** A log file of the host. */
  logPath(name: string): string {
    return join(this.folder, `${name}.log`);
  }

  /** Logs failures of an address, one a line. */
  fail(name: string, ip: string, times = 1): void {
    appendFileSync(this.logPath(name), `${new Date().toISOString()} bad ${ip}\n`.repeat(times));
  }

  /** A section of jail.local, for a jail that reads its own log. */
  section(name: string, options = ''): string {
    return `[${name}]\nenabled = true\nfilter =\nfailregex = ${this.failregex}\nlogpath = ${this.logPath(name)}\nport = 8000\n${options}\n`;
  }

  async start(containers: readonly FakeContainer[] = []): Promise<void> {
    this.engine.containers = [...containers];
    await this.engine.start();
    writeFileSync(join(this.folder, 'syslog'), '');
    await this.#run();
  }

  /** Ends it, and starts it on what it has remembered. Events of before are forgotten. */
  async restart(): Promise<void> {
    this.#end.abort();
    await this.#done;
    this.#end = new AbortController();
    this.events.length = 0;
    await this.#run();
  }

  async #run(): Promise<void> {
    await this.begin();
    await this.sees('ready');
  }

  /** Begins without waiting for an engine. */
  async begin(): Promise<void> {
    const files = new ConfigurationFiles({
      builtinDir,
      configDir: this.configDir,
      compileFilter: checkFilter,
      policy: this.labels,
      receivers: () => [],
    });
    const daemon = new Daemon({
      version: '0.0.0',
      logger: pino({ level: 'info' }, { write: (line: string) => void this.events.push(JSON.parse(line)) }),
      connectDocker: engineConnector(`unix://${this.engine.socketPath}`),
      createFirewall: (neverBan) =>
        believing(this.firewall?.(neverBan) ?? new DryRunFirewall({ neverBan, report: () => undefined })),
      resolve: (await files.read()).configuration,
      reread: async () => (await files.read()).configuration,
      openStore: (hooks) => new Store({ stateDir: join(this.folder, 'state'), purgeAge: 86_400, ...hooks }),
      syslogFile: join(this.folder, 'syslog'),
      labels: this.labels,
      journal: { start: this.journal.start, place: [] },
      ...(this.clock && { clock: this.clock }),
    });
    this.#control = daemon.control();
    this.#done = (async () => {
      await daemon.run(this.#end.signal);
      await daemon.stop(false);
    })();
  }

  /** Waits until the events have one with these fields. */
  async sees(event: string, fields: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const wanted = Object.entries({ event, ...fields });
    const isSeen = (): boolean =>
      this.events.some((one) => wanted.every(([field, value]) => isDeepStrictEqual(one[field], value)));
    await vi.waitUntil(isSeen, { timeout: 30_000, interval: 10 }).catch((cause: unknown) => {
      const seen = this.events.map(({ msg }) => msg).join('\n');
      throw new Error(`no event ${event} ${JSON.stringify(fields)} among:\n${seen}`, { cause });
    });
  }

  /** The events of a kind. */
  of(kind: string): Event[] {
    return this.events.filter(({ event }) => event === kind);
  }

  /** Ends the daemon and the engine, for another start. */
  async stop(): Promise<void> {
    this.#end.abort();
    await this.#done;
    await this.engine.stop();
    this.#end = new AbortController();
    this.events.length = 0;
  }

  async end(): Promise<void> {
    await this.stop();
    rmSync(this.folder, { recursive: true });
  }
}

/** With a firewall that can't tell strangers, every ban is believed. */
function believing(firewall: BanFirewall): Firewall {
  if ('strangers' in firewall) return firewall as Firewall;
  return Object.assign(firewall, { unwatched: undefined, strangers: async () => new Set<string>() });
}
