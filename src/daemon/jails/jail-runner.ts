import { awaitedAccess } from '../../config/labels/awaited-access.ts';
import type { ConfigProblem, JailSpec } from '../../config/jail-spec.ts';
import type { LabelPolicy } from '../../config/labels/label-policy.ts';
import type { ResolvedJails } from '../../config/resolve.ts';
import type { Firewall } from '../../firewall/firewall.ts';
import type { DockerState } from '../docker-state.ts';
import type { CarriedNotes } from '../enforcing/carried-notes.ts';
import type { Enforcer } from '../enforcing/enforcer.ts';
import type { NeverBanWatch } from '../enforcing/never-ban-watch.ts';
import { AccessLog } from '../events/access-log.ts';
import { portNames } from '../events/describe.ts';
import type { EventLog } from '../events/event-log.ts';
import { ProblemLog } from '../events/problem-log.ts';
import type { IgnoreRefresh } from '../judging/ignore-refresh.ts';
import type { LogSources } from '../reading/log-sources.ts';
import type { JailChanges, JailMaker, JailRegistry } from '../../jail/jail-registry.ts';
import { withoutClashes } from './name-clashes.ts';

export interface JailRunnerParts {
  readonly docker: DockerState;
  readonly registry: JailRegistry;
  readonly workshop: JailMaker;
  readonly neverBan: NeverBanWatch;
  readonly ignores: IgnoreRefresh;
  readonly firewall: Firewall;
  readonly enforcer: Enforcer;
  readonly sources: LogSources;
  readonly notes: CarriedNotes;
  readonly events: EventLog;
  /** What labels may do, of containers that don't run. */
  readonly labels: LabelPolicy | undefined;
}

/** Makes jails run: their filters are compiled, their bans enforced, their logs read. */
export class JailRunner {
  readonly #parts: JailRunnerParts;
  readonly #problems: ProblemLog<ConfigProblem>;
  readonly #access: AccessLog;

  constructor(parts: JailRunnerParts) {
    this.#parts = parts;
    this.#problems = new ProblemLog((problem) => parts.events.configProblem(problem));
    this.#access = new AccessLog(parts.events);
  }

  /** Makes exactly these jails run. @param stopped jails that don't run by hand */
  async run(resolved: ResolvedJails, stopped: ReadonlySet<string>): Promise<JailChanges> {
    const { docker, registry, workshop, neverBan, firewall, enforcer, sources, notes, events } = this.#parts;
    neverBan.look();
    const awaited = awaitedAccess(docker.snapshot?.awaited ?? [], resolved.access, this.#parts.labels);
    const access = [...resolved.access, ...awaited.access];
    enforcer.access = access;
    notes.networks = docker.snapshot?.networks ?? [];
    notes.definers = resolved.definers;
    const foreign = firewall.info?.backend === 'none' ? [] : neverBan.foreignHost(docker.snapshot);
    const { jails, problems } = withoutClashes(resolved.jails, registry.all.keys());
    this.#problems.report([...resolved.problems, ...problems, ...awaited.problems, ...foreign]);
    const changes = await registry.apply(jails, workshop);
    for (const { name, bans } of changes.stopped) events.jailStopped(name, bans.size, stopped.has(name));
    await this.enforce();
    await sources.update();
    for (const { name, spec } of changes.started) events.jailStarted(name, this.#summary(spec));
    for (const { name, spec } of changes.changed) events.jailChanged(name, this.#summary(spec));
    this.#access.report(access);
    return changes;
  }

  /** Follows the addresses that must not be banned, and brings the kernel to what the jails say. */
  async enforce(): Promise<void> {
    const { neverBan, ignores, registry, enforcer } = this.#parts;
    neverBan.look();
    await ignores.refresh(registry.all.values());
    await enforcer.reconcile();
  }

  #summary(spec: JailSpec) {
    const { containers, sources } = spec;
    const ports = portNames(spec);
    return {
      containers,
      ports: ports === 'all' ? ports : ports.join(', ') || 'nothing',
      sources: [...new Set(sources.map((source) => this.#parts.sources.nameOf(source)))],
    };
  }
}
