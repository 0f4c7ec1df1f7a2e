import { networkInterfaces } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Controller, Status } from '../control/api.ts';
import type { ConfigProblem, JailSpec, SourceSpec } from '../config/jail-spec.ts';
import { watchDocker } from '../docker/watch.ts';
import type { ConnectDocker } from '../docker/engine-client.ts';
import type { ContainerSnapshot, DockerSnapshot } from '../docker/snapshot.ts';
import { CachingResolver } from '../filter/caching-resolver.ts';
import { compileFilter, type Filter } from '../filter/filter.ts';
import type { Firewall, FirewallInfo } from '../firewall/firewall.ts';
import { NeverBan, type OwnAddresses } from '../firewall/never-ban.ts';
import { portNames, sourceName } from './describe.ts';
import { Detector } from './detector.ts';
import { Enforcer } from './enforcer.ts';
import { EventLog } from './event-log.ts';
import { HandControl } from './hand-control.ts';
import { IgnoreRefresh } from './ignore-refresh.ts';
import { JailRegistry } from './jail-registry.ts';
import type { Logger } from './logger.ts';
import { LogFiles } from './log-files.ts';
import { Matching } from './matching.ts';
import { ownAddresses } from './own-addresses.ts';
import { ProblemLog } from './problem-log.ts';
import { SyslogReader } from './syslog-reader.ts';
import { unservedSources } from './unserved-sources.ts';

/** What the daemon is made of; tests put their own in. */
export interface DaemonParts {
  readonly version: string;
  readonly logger: Logger;
  readonly connectDocker: ConnectDocker;
  /** @param neverBan asked again right before every call to the kernel */
  readonly createFirewall: (neverBan: () => NeverBan) => Firewall;
  /** What the configuration and these containers' labels ask for. */
  readonly resolve: (containers: readonly ContainerSnapshot[]) => {
    readonly jails: readonly JailSpec[];
    readonly problems: readonly ConfigProblem[];
  };
  readonly syslogFile: string;
  readonly clock?: () => number;
}

/** Milliseconds between two looks at the kernel. */
const reconcileEvery = 5000;
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
  readonly #registry = new JailRegistry((spec) => this.#compile(spec));
  readonly #resolver = new CachingResolver();
  readonly #firewall: Firewall;
  readonly #enforcer: Enforcer;
  readonly #matching: Matching;
  readonly #syslog: SyslogReader;
  readonly #files: LogFiles;
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
    this.#firewall = parts.createFirewall(() => this.#neverBan);
    this.#enforcer = new Enforcer(this.#firewall, this.#registry, this.#events);
    this.#ignores = new IgnoreRefresh(this.#resolver, this.#events);
    const detector = new Detector(this.#events, (ip) => this.#neverBan.find(ip), this.#clock);
    this.#matching = new Matching(detector, this.#enforcer, this.#events, this.#clock);
    this.#syslog = new SyslogReader(parts.syslogFile, this.#matching, this.#events, this.#clock);
    this.#files = new LogFiles(this.#events, this.#matching, this.#clock);
  }

  /** The operator's side. */
  control(): Controller {
    return new HandControl({
      registry: this.#registry,
      enforcer: this.#enforcer,
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
    const tasks = [
      this.#followDocker(end),
      this.#syslog.run(end),
      every(expireEvery, end, () => this.#expire()),
      every(reconcileEvery, end, () => this.#reconcile()),
    ];
    try {
      await Promise.all(tasks);
    } finally {
      fault.abort();
      await Promise.allSettled(tasks);
      await this.#files.close();
    }
  }

  /** Ends what `run` left open. @param flush whether every trace goes from the kernel, or the bans stay */
  async stop(flush: boolean): Promise<void> {
    if (flush) await this.#firewall.flush();
    await this.#firewall.close();
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
      await this.#apply(update.snapshot.containers);
      if (first) this.#ready(update.snapshot);
    }
  }

  async #apply(containers: readonly ContainerSnapshot[]): Promise<void> {
    this.#lookAtAddresses();
    const { jails, problems } = this.#parts.resolve(containers);
    this.#problems.report([...problems, ...unservedSources(jails)]);
    const { started, changed, stopped } = this.#registry.apply(jails);
    for (const jail of stopped) this.#events.jailStopped(jail.name, jail.bans.size);
    await this.#ignores.refresh(this.#registry.all.values());
    await this.#enforcer.reconcile();
    this.#syslog.update(this.#registry);
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
