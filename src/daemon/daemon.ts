import { networkInterfaces } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Controller, Status } from '../control/api.ts';
import type { ConfigProblem, JailSpec, SourceSpec } from '../config/jail-spec.ts';
import { watchDocker } from '../docker/watch.ts';
import type { ConnectDocker } from '../docker/engine-client.ts';
import { EngineLogs } from '../docker/engine-logs.ts';
import type { ContainerSnapshot, DockerSnapshot, NetworkSnapshot } from '../docker/snapshot.ts';
import { CachingResolver } from '../filter/caching-resolver.ts';
import { compileFilter, type Filter } from '../filter/filter.ts';
import type { Firewall, FirewallInfo } from '../firewall/firewall.ts';
import { NeverBan, type OwnAddresses } from '../firewall/never-ban.ts';
import type { StoreEvent } from '../store/database-keeper.ts';
import type { Store, StoreOptions } from '../store/store.ts';
import type { StoredBan } from '../store/stored-ban.ts';
import { portNames, sourceName } from './describe.ts';
import { Detector } from './detector.ts';
import { DockerLogReader } from './docker-log-reader.ts';
import { Enforcer } from './enforcer.ts';
import { EventLog } from './event-log.ts';
import { HandControl } from './hand-control.ts';
import { IgnoreRefresh } from './ignore-refresh.ts';
import { JailRegistry } from './jail-registry.ts';
import { type JournalAccess, JournalReader } from './journal-reader.ts';
import type { Logger } from './logger.ts';
import { LogFiles } from './log-files.ts';
import { Matching } from './matching.ts';
import { Memory } from './memory.ts';
import { ownAddresses } from './own-addresses.ts';
import { ProblemLog } from './problem-log.ts';
import { ReceiverReader, type ReceiverSettings } from './receiver-reader.ts';
import { SyslogReader } from './syslog-reader.ts';

/** What the daemon is made of; tests put their own in. */
export interface DaemonParts {
  readonly version: string;
  readonly logger: Logger;
  readonly connectDocker: ConnectDocker;
  /**
   * @param neverBan asked again right before every call to the kernel
   * @param engineBackend what the engine says that it makes its rules with; undefined: nothing, or it isn't known yet
   */
  readonly createFirewall: (neverBan: () => NeverBan, engineBackend: () => string | undefined) => Firewall;
  /** What the configuration and these containers' labels ask for. */
  readonly resolve: (
    containers: readonly ContainerSnapshot[],
    networks: readonly NetworkSnapshot[],
  ) => {
    readonly jails: readonly JailSpec[];
    readonly problems: readonly ConfigProblem[];
  };
  /** Opens what bans and positions are remembered in. */
  readonly openStore: (hooks: Pick<StoreOptions, 'active' | 'report' | 'clock'>) => Store;
  readonly syslogFile: string;
  /** Where syslog messages are received; undefined: nowhere. */
  readonly receiver?: ReceiverSettings;
  /** How the journal is reached; default: as systemd has it. */
  readonly journal?: JournalAccess;
  readonly clock?: () => number;
}

/** Milliseconds between two looks at the kernel. */
const reconcileEvery = 5000;
/** Milliseconds between two looks for what need not be remembered any more. */
const purgeEvery = 3_600_000;
/** Milliseconds between two looks for bans that have ended. */
const expireEvery = 1000;

/**
 * Wires everything: Docker's snapshots and the configuration make the jails, the jails' lines make bans, and the firewall is kept
 * at what they say. Level-triggered: every change leads to the same comparison of what is with what should be.
 */
export class Daemon {
  readonly #parts: DaemonParts;
  readonly #events: EventLog;
  readonly #clock: () => number;
  readonly #store: Store;
  readonly #registry: JailRegistry;
  readonly #resolver = new CachingResolver();
  readonly #memory: Memory;
  readonly #firewall: Firewall;
  readonly #enforcer: Enforcer;
  readonly #matching: Matching;
  readonly #syslog: SyslogReader;
  readonly #receiver: ReceiverReader | undefined;
  readonly #journal: JournalReader;
  readonly #files: LogFiles;
  readonly #containerLogs: DockerLogReader;
  readonly #problems: ProblemLog;
  readonly #ignores: IgnoreRefresh;
  #docker: DockerSnapshot | undefined;
  #dockerConnected = false;
  #own: OwnAddresses = { host: [], gateways: [], dockerSubnets: [] };
  #neverBan = new NeverBan(this.#own);

  constructor(parts: DaemonParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? Date.now;
    this.#events = new EventLog(parts.logger);
    this.#problems = new ProblemLog(this.#events);
    this.#firewall = parts.createFirewall(
      () => this.#neverBan,
      () => this.#docker?.engine.firewallBackend,
    );
    this.#store = parts.openStore({
      active: () => this.#bansInForce(),
      report: (event) => this.#onStore(event),
      clock: this.#clock,
    });
    const memory = new Memory(this.#store, this.#clock);
    this.#memory = memory;
    this.#registry = new JailRegistry((spec) => this.#compile(spec), this.#store.history);
    this.#enforcer = new Enforcer(this.#firewall, this.#registry, memory, this.#events);
    this.#ignores = new IgnoreRefresh(this.#resolver, this.#events);
    const detector = new Detector(this.#events, (ip) => this.#neverBan.find(ip), this.#clock);
    this.#matching = new Matching(detector, this.#enforcer, memory, this.#events, this.#clock);
    this.#syslog = new SyslogReader(
      parts.syslogFile,
      this.#matching,
      this.#events,
      this.#clock,
      this.#store.positions,
    );
    this.#receiver =
      parts.receiver && new ReceiverReader(parts.receiver, this.#matching, this.#events, this.#clock);
    this.#journal = new JournalReader(
      parts.journal ?? {},
      this.#matching,
      this.#events,
      this.#clock,
      this.#store.positions,
    );
    this.#files = new LogFiles(this.#events, this.#matching, this.#clock, this.#store.positions);
    this.#containerLogs = new DockerLogReader({
      logs: new EngineLogs(parts.connectDocker),
      matching: this.#matching,
      events: this.#events,
      positions: this.#store.positions,
      clock: this.#clock,
    });
  }

  /** The operator's side. */
  control(): Controller {
    return new HandControl({
      registry: this.#registry,
      enforcer: this.#enforcer,
      memory: this.#memory,
      events: this.#events,
      neverBan: (ip) => this.#neverBan.find(ip),
      logsOf: (source) =>
        source.kind === 'file' ? this.#files.filesOf(source.pattern) : [this.#nameOf(source)],
      overview: () => this.#overview(),
      clock: this.#clock,
    });
  }

  /** Runs until `signal` aborts. Rejects for a fault of our own only, after everything has ended. */
  async run(signal: AbortSignal): Promise<void> {
    const fault = new AbortController();
    const end = AbortSignal.any([signal, fault.signal]);
    this.#lookAtAddresses();
    await this.#enforcer.restoreLast();
    const tasks = [
      this.#followDocker(end),
      this.#syslog.run(end),
      ...(this.#receiver ? [this.#receiver.run(end)] : []),
      this.#journal.run(end),
      every(expireEvery, end, () => this.#expire()),
      every(reconcileEvery, end, () => this.#reconcile()),
      every(purgeEvery, end, () => this.#store.purge(this.#clock()).then(() => undefined)),
    ];
    try {
      await Promise.all(tasks);
    } finally {
      fault.abort();
      await Promise.allSettled(tasks);
      await Promise.all([this.#files.close(), this.#containerLogs.close()]);
    }
  }

  /** Ends what `run` left open. @param flush whether every trace goes from the kernel, or the bans stay */
  async stop(flush: boolean): Promise<void> {
    if (flush) await this.#firewall.flush();
    await this.#firewall.close();
    this.#store.close();
    this.#events.stopped(
      flush ? 'every trace is removed from the kernel' : 'bans stay in the kernel until their time is over',
    );
  }

  async #followDocker(signal: AbortSignal): Promise<void> {
    const { connectDocker: connect, logger } = this.#parts;
    for await (const update of watchDocker({ connect, signal, logger })) {
      if (update.type === 'lost') {
        this.#dockerConnected = false;
        this.#events.dockerLost(update.error.message, update.error.fix);
        continue;
      }
      const first = this.#docker === undefined;
      if (!first && !this.#dockerConnected) this.#events.dockerResumed(update.snapshot.engine.version);
      this.#docker = update.snapshot;
      this.#dockerConnected = true;
      await this.#apply(update.snapshot);
      if (!first) continue;
      await this.#syslog.begun;
      this.#ready(update.snapshot);
    }
  }

  async #apply({ containers, networks }: DockerSnapshot): Promise<void> {
    this.#lookAtAddresses();
    const { jails, problems } = this.#parts.resolve(containers, networks);
    this.#problems.report(problems);
    const { started, changed, stopped } = this.#registry.apply(jails);
    for (const jail of stopped) this.#events.jailStopped(jail.name, jail.bans.size);
    await this.#ignores.refresh(this.#registry.all.values());
    await this.#enforcer.reconcile();
    this.#syslog.update(this.#registry);
    this.#receiver?.update(this.#registry);
    this.#journal.update(this.#registry);
    this.#containerLogs.update(this.#registry);
    await this.#files.update(this.#registry);
    for (const { name, spec } of started) this.#events.jailStarted(name, this.#summary(spec));
    for (const { name, spec } of changed) this.#events.jailChanged(name, this.#summary(spec));
  }

  #compile({ name, filter, findtime }: JailSpec): Filter {
    return compileFilter(filter, {
      findtime,
      resolver: this.#resolver,
      onResolved: (failures) => {
        const jail = this.#registry.active.get(name)?.jail;
        if (jail) this.#matching.take(jail, failures, undefined);
      },
      onExceeded: ({ expression, length }) =>
        this.#events.filterExceeded(name, filter.name, expression, length),
      clock: this.#clock,
    });
  }

  async #reconcile(): Promise<void> {
    // Before Docker has been seen, nobody knows what should be: what an earlier run left in the kernel protects.
    if (this.#docker === undefined) return;
    this.#lookAtAddresses();
    await this.#ignores.refresh(this.#registry.all.values());
    await this.#enforcer.reconcile();
  }

  async #expire(): Promise<void> {
    const ended = [...this.#registry.all.values()].flatMap((jail) => jail.expire(this.#clock()));
    await this.#enforcer.unban(ended);
    for (const ban of ended) this.#events.unban(ban, 'expired');
  }

  *#bansInForce(): Generator<StoredBan> {
    const now = this.#clock();
    for (const jail of this.#registry.all.values()) {
      for (const ban of jail.bans.values()) {
        const count = Math.max(1, this.#store.history.count(ban.ip, ban.jail, now));
        yield { ...ban, count, failures: undefined, container: undefined, lines: [] };
      }
    }
  }

  #onStore(event: StoreEvent): void {
    this.#events.store(event);
    if (event.kind === 'resumed' && event.unread) void this.#enforcer.readopt();
  }

  #lookAtAddresses(): void {
    const interfaces = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    const host = interfaces.map(({ address }) => address);
    const own = ownAddresses(host, this.#docker?.networks ?? []);
    // A new list makes the firewall look through all bans.
    if (isDeepStrictEqual(own, this.#own)) return;
    this.#own = own;
    this.#neverBan = new NeverBan(own);
  }

  #ready({ engine }: DockerSnapshot): void {
    const firewall = this.#enforcer.info;
    const jails = [...this.#registry.active.keys()];
    const enforced = firewall
      ? [firewall.backend, firewall.variant].filter(Boolean).join(' with iptables-')
      : 'no firewall yet';
    this.#events.ready(
      { version: this.#parts.version, docker: engine, firewall, jails, syslogFile: this.#parts.syslogFile },
      [
        `Docker ${engine.version}`,
        `firewall ${enforced}${entryPoints(firewall)}`,
        ...(firewall?.remarks ?? []),
        jails.length > 0 ? `jails ${jails.join(', ')}` : 'no container has the label fail2ban.jail yet',
      ].join('; '),
    );
  }

  #summary({ containers, closes, sources }: JailSpec) {
    const ports = portNames(closes);
    return {
      containers,
      ports: ports === 'all' ? ports : ports.join(', ') || 'nothing',
      sources: [...new Set(sources.map((source) => this.#nameOf(source)))],
    };
  }

  #nameOf(source: SourceSpec): string {
    return sourceName(source, this.#parts.syslogFile);
  }

  #overview(): Omit<Status, 'jails'> {
    return {
      version: this.#parts.version,
      docker: { connected: this.#dockerConnected, version: this.#docker?.engine.version ?? null },
      firewall: { backend: this.#enforcer.info?.backend ?? 'unavailable', healthy: this.#enforcer.healthy },
    };
  }
}

/** Acts again and again, `ms` after the end of the time before, until `signal` aborts. */
async function every(ms: number, signal: AbortSignal, act: () => Promise<void>): Promise<void> {
  const elapsed = (): Promise<boolean> => delay(ms, true, { signal }).catch(() => false);
  while (await elapsed()) await act();
}

function entryPoints(firewall: FirewallInfo | undefined): string {
  const { 4: four, 6: six } = firewall?.entry ?? {};
  if (four === undefined && six === undefined) return '';
  return ` (IPv4 from ${four ?? 'nowhere'}, IPv6 from ${six ?? 'nowhere'})`;
}
