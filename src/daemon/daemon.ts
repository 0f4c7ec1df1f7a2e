import { uptime } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Controller, Status } from '../control/api.ts';
import { awaitedAccess } from '../config/labels/awaited-access.ts';
import type { ConfigProblem, JailSpec } from '../config/jail-spec.ts';
import type { ResolvedJails } from '../config/resolve.ts';
import { watchDocker } from '../docker/watch.ts';
import type { DockerSnapshot, EngineProblem } from '../docker/snapshot.ts';
import { CachingResolver } from '../filter/caching-resolver.ts';
import { compileFilter, type Filter } from '../filter/filter.ts';
import { sharedAllowance } from '../filter/search-budget.ts';
import type { Firewall } from '../firewall/firewall.ts';
import type { StoreEvent } from '../store/database-keeper.ts';
import type { Store } from '../store/store.ts';
import type { StoredBan } from '../store/stored-ban.ts';
import type { Jail } from '../jail/jail.ts';
import { AccessLog, accessStatus } from './events/access-log.ts';
import { rememberingCheck } from '../filter/filter-fault.ts';
import { portNames, readyText } from './events/describe.ts';
import { ClockSteps } from './clock-steps.ts';
import { CostlyLines } from './judging/costly-lines.ts';
import type { DaemonParts } from './daemon-parts.ts';
import { Detector } from './judging/judge.ts';
import { Enforcer } from './enforcing/enforcer.ts';
import { EventFeed } from './events/event-feed.ts';
import { EventLog } from './events/event-log.ts';
import { HandControl } from './operator/controller.ts';
import { IgnoreRefresh } from './judging/ignore-refresh.ts';
import { type JailChanges, JailRegistry } from './jails/jail-registry.ts';
import { LiveJails } from './jails/live-jails.ts';
import { LogSources } from './reading/log-sources.ts';
import { Matching } from './judging/line-way.ts';
import { CarriedNotes } from './enforcing/carried-notes.ts';
import { countingOf, Memory } from './enforcing/carry-over.ts';
import { withoutClashes } from './jails/name-clashes.ts';
import { NeverBanWatch } from './enforcing/never-ban-watch.ts';
import { ProblemLog } from './events/problem-log.ts';
import { Recidive } from './judging/recidive.ts';
import { DaemonViews } from './operator/views.ts';

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
  readonly #feed: EventFeed;
  readonly #events: EventLog;
  readonly #views: DaemonViews;
  readonly #clock: () => number;
  readonly #clockSteps: ClockSteps;
  readonly #store: Store;
  readonly #registry: JailRegistry;
  readonly #resolver = new CachingResolver();
  readonly #memory: Memory;
  readonly #notes: CarriedNotes;
  readonly #firewall: Firewall;
  readonly #enforcer: Enforcer;
  readonly #matching: Matching;
  readonly #recidive: Recidive;
  readonly #sources: LogSources;
  readonly #problems: ProblemLog<ConfigProblem>;
  readonly #dockerProblems: ProblemLog<EngineProblem>;
  readonly #access: AccessLog;
  readonly #ignores: IgnoreRefresh;
  readonly #costlyLines: CostlyLines;
  readonly #allowance = sharedAllowance();
  readonly #live: LiveJails;
  #docker: DockerSnapshot | undefined;
  #dockerConnected = false;
  /** Why it isn't. */
  #dockerTrouble: string | undefined;
  readonly #neverBan = new NeverBanWatch();

  constructor(parts: DaemonParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? Date.now;
    const sinceBoot = parts.uptime ?? parts.clock ?? ((): number => uptime() * 1000);
    this.#clockSteps = new ClockSteps(this.#clock, sinceBoot);
    this.#feed = new EventFeed(this.#clock);
    this.#events = new EventLog(this.#feed.tee(parts.logger));
    this.#problems = new ProblemLog((problem) => this.#events.configProblem(problem));
    this.#dockerProblems = new ProblemLog((problem) => this.#events.dockerProblem(problem));
    this.#access = new AccessLog(this.#events);
    this.#costlyLines = new CostlyLines(this.#events, this.#clock);
    this.#firewall = parts.createFirewall(
      () => this.#neverBan.current,
      () => this.#docker?.engine.firewallBackend,
    );
    this.#store = parts.openStore({
      active: () => this.#bansInForce(),
      counting: countingOf(() => this.#registry.all.values()),
      report: (event) => this.#onStore(event),
      clock: this.#clock,
    });
    const memory = new Memory(this.#store, this.#clock);
    this.#memory = memory;
    this.#notes = new CarriedNotes(this.#store.notes);
    this.#registry = new JailRegistry(
      (spec) => this.#compile(spec),
      this.#store.history,
      (spec) => memory.newJail(spec),
    );
    this.#enforcer = new Enforcer(
      this.#firewall,
      () => this.#neverBan.current,
      this.#registry,
      memory,
      this.#notes,
      this.#events,
    );
    this.#views = new DaemonViews({
      version: parts.version,
      registry: this.#registry,
      enforcer: this.#enforcer,
      store: this.#store,
      events: this.#events,
      feed: this.#feed,
      neverBan: (ip) => this.#neverBan.current.find(ip),
      sources: () => this.#sources.counts,
      inForce: () => this.#bansInForce(),
      clock: this.#clock,
    });
    this.#ignores = new IgnoreRefresh(this.#resolver, this.#events);
    const detector = new Detector(this.#events, (ip) => this.#neverBan.current.find(ip), this.#clock);
    this.#recidive = new Recidive({
      registry: this.#registry,
      count: (jail, failures) => this.#matching.count(jail, failures, undefined),
      clock: this.#clock,
    });
    this.#matching = new Matching(
      detector,
      this.#enforcer,
      memory,
      this.#events,
      this.#clock,
      this.#recidive,
    );
    this.#sources = new LogSources({
      syslogFile: parts.syslogFile,
      receiver: parts.receiver,
      journal: parts.journal,
      connectDocker: parts.connectDocker,
      registry: this.#registry,
      matching: this.#matching,
      events: this.#events,
      positions: this.#store.positions,
      clock: this.#clock,
    });
    this.#live = this.#liveJails(parts);
  }

  /** Which jails run, by all that has a say in it. */
  #liveJails({ resolve, reread = async () => resolve }: DaemonParts): LiveJails {
    return new LiveJails({
      configuration: resolve,
      reread,
      checkFilter: rememberingCheck(),
      surroundings: () => this.#docker,
      definers: this.#notes.definers,
      apply: (resolved) => this.#apply(resolved),
      registry: this.#registry,
      enforcer: this.#enforcer,
      matching: this.#matching,
      events: this.#events,
      neverBan: (ip) => this.#neverBan.current.find(ip),
      logsOf: (source) => this.#sources.logsOf(source),
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
      neverBan: (ip) => this.#neverBan.current.find(ip),
      logsOf: (source) => this.#sources.logsOf(source),
      overview: () => this.#overview(),
      views: this.#views,
      live: this.#live,
      banned: (ban) => this.#recidive.banned(ban),
      clock: this.#clock,
    });
  }

  /** Runs until `signal` aborts. Rejects for a fault of our own only, after everything has ended. */
  async run(signal: AbortSignal): Promise<void> {
    const fault = new AbortController();
    const end = AbortSignal.any([signal, fault.signal]);
    this.#tellOfQuarantine();
    this.#lookAtAddresses();
    await this.#enforcer.restoreLast();
    const tasks = [
      this.#followDocker(end),
      ...this.#sources.tasks(end),
      every(expireEvery, end, () => this.#expire()),
      every(reconcileEvery, end, () => this.#reconcile()),
      every(purgeEvery, end, () => this.#store.purge(this.#clock()).then(() => undefined)),
    ];
    try {
      await Promise.all(tasks);
    } finally {
      fault.abort();
      await Promise.allSettled(tasks);
      await this.#live.close();
      await this.#sources.close();
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
    const networks = this.#notes.networks;
    for await (const update of watchDocker({ connect, signal, logger, networks })) {
      if (update.type === 'lost') {
        this.#dockerConnected = false;
        this.#dockerTrouble = update.error.message;
        this.#events.dockerLost(update.error.message, update.error.fix);
        continue;
      }
      const first = this.#docker === undefined;
      if (!first && !this.#dockerConnected) this.#events.dockerResumed(update.snapshot.engine.version);
      this.#docker = update.snapshot;
      this.#dockerConnected = true;
      this.#dockerTrouble = undefined;
      this.#dockerProblems.report(update.snapshot.problems ?? []);
      await this.#live.follow();
      if (!first) continue;
      await this.#sources.begun();
      this.#ready(update.snapshot);
      this.#enforcer.tellRestored().catch((error: unknown) => this.#events.fault(error));
    }
  }

  async #apply({
    jails: wanted,
    access: ofRunning,
    problems,
    definers,
  }: ResolvedJails): Promise<JailChanges> {
    this.#lookAtAddresses();
    const awaited = awaitedAccess(this.#docker?.awaited ?? [], ofRunning, this.#parts.labels);
    const access = [...ofRunning, ...awaited.access];
    this.#enforcer.access = access;
    this.#notes.networks = this.#docker?.networks ?? [];
    this.#notes.definers = definers;
    const foreign = this.#firewall.info?.backend === 'none' ? [] : this.#neverBan.foreignHost(this.#docker);
    const { jails, problems: clashes } = withoutClashes(wanted, this.#registry.all.keys());
    this.#problems.report([...problems, ...clashes, ...awaited.problems, ...foreign]);
    const changes = this.#registry.apply(jails);
    const { started, changed, stopped } = changes;
    for (const { name, bans } of stopped) {
      this.#events.jailStopped(name, bans.size, this.#live.stopped.has(name));
    }
    await this.#ignores.refresh(this.#registry.all.values());
    await this.#enforcer.reconcile();
    await this.#sources.update();
    for (const { name, spec } of started) this.#events.jailStarted(name, this.#summary(spec));
    for (const { name, spec } of changed) this.#events.jailChanged(name, this.#summary(spec));
    this.#access.report(access);
    return changes;
  }

  #tellOfQuarantine(): void {
    const { problems = [], lastStall } = this.#parts.quarantine ?? {};
    for (const problem of problems) this.#events.quarantineUnusable(problem);
    if (lastStall) this.#events.stalledBefore(lastStall.culprit ?? {}, lastStall.at);
  }

  #compile(spec: JailSpec): Filter {
    const { name, filter, findtime } = spec;
    const sign = this.#parts.signOf?.(name, filter);
    return compileFilter(filter, {
      findtime,
      resolver: this.#resolver,
      onResolved: (failures) => {
        const jail = this.#registry.active.get(name)?.jail;
        if (jail) this.#matching.take(jail, failures, undefined);
      },
      onExceeded: (report) =>
        this.#costlyLines.report(this.#registry.active.get(name)?.jail.spec ?? spec, report),
      allowance: this.#allowance,
      clock: this.#clock,
      ...(sign && { sign }),
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
    // Until it wasn't set: a ban isn't over for a clock that was set while the last step was followed.
    for (let step = this.#clockSteps.look(); step !== 0; step = this.#clockSteps.look())
      await this.#onClockSet(step);
    const now = this.#clock();
    const ended = [...this.#registry.all.values()].flatMap((jail) => jail.expire(now));
    await this.#enforcer.unban(ended);
    for (const ban of ended) this.#events.unban(ban, 'expired');
    for (const jail of this.#registry.all.values()) await this.#shed(jail, now);
  }

  /** A jail holds no more bans than can be restored in time; what is remembered of those that it gives up stays. */
  async #shed(jail: Jail, now: number): Promise<void> {
    const shed = jail.shed();
    if (shed.length === 0) return;
    this.#events.bansShed(jail.name, shed.length, jail.bans.size);
    await this.#enforcer.unban(shed);
    await this.#memory.keepMoved(shed.map((ban) => ({ ...ban, until: now })));
  }

  /** What the kernel counts down doesn't know the clock: what is known of it moves along. */
  async #onClockSet(step: number): Promise<void> {
    const jails = [...this.#registry.all.values()];
    for (const jail of jails) jail.shift(step);
    const bans = jails.flatMap((jail) => [...jail.bans.values()]);
    this.#events.clockSet(step, bans.length);
    await this.#enforcer.renew(bans);
    await this.#memory.keepMoved(bans);
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
    if (event.kind !== 'resumed' || !event.unread) return;
    for (const jail of this.#registry.all.values()) this.#memory.restoreFailures(jail);
    this.#enforcer.readopt().catch((error: unknown) => this.#events.fault(error));
  }

  #lookAtAddresses(): void {
    this.#neverBan.look(this.#docker?.networks ?? this.#notes.networks);
  }

  #ready({ engine }: DockerSnapshot): void {
    const firewall = this.#enforcer.info;
    const jails = [...this.#registry.active.keys()];
    this.#events.ready(
      { version: this.#parts.version, docker: engine, firewall, jails, syslogFile: this.#parts.syslogFile },
      readyText(engine.version, firewall, jails),
    );
  }

  #summary(spec: JailSpec) {
    const { containers, sources } = spec;
    const ports = portNames(spec);
    return {
      containers,
      ports: ports === 'all' ? ports : ports.join(', ') || 'nothing',
      sources: [...new Set(sources.map((source) => this.#sources.nameOf(source)))],
    };
  }

  #overview(): Omit<Status, 'jails'> {
    const troubles = [this.#dockerTrouble, ...this.#dockerProblems.standing].filter(
      (text) => text !== undefined,
    );
    return {
      version: this.#parts.version,
      docker: {
        connected: this.#dockerConnected,
        version: this.#docker?.engine.version ?? null,
        ...(troubles.length > 0 && { troubles }),
      },
      firewall: {
        backend: this.#enforcer.info?.backend ?? 'unavailable',
        healthy: this.#enforcer.healthy,
        troubles: this.#enforcer.troubles,
      },
      sources: this.#sources.counts,
      access: this.#enforcer.enforcedAccess.map(accessStatus),
    };
  }
}

/** Acts again and again, `ms` after the end of the time before, until `signal` aborts. */
async function every(ms: number, signal: AbortSignal, act: () => Promise<void>): Promise<void> {
  const elapsed = (): Promise<boolean> => delay(ms, true, { signal }).catch(() => false);
  while (await elapsed()) await act();
}
