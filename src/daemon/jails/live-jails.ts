import { definerName, type Definers } from '../../config/jails/jail-definer.ts';
import type { ConfigProblem } from '../../config/jail-spec.ts';
import { noEdits } from '../../config/jails/jail-edits.ts';
import type { ResolvedJails } from '../../config/resolve.ts';
import type { HandResult, JailEdit, JailOptions, ReloadResult } from '../../control/api.ts';
import type { LiveControl } from '../../control/controller.ts';
import { Dock2banError, messageOf } from '../../errors.ts';
import { Serial } from '../../async/serial.ts';
import type { DockerState } from '../docker-state.ts';
import type { Bans } from '../enforcing/bans.ts';
import type { Enforcer } from '../enforcing/enforcer.ts';
import type { EventLog } from '../events/event-log.ts';
import { withEdit } from './jail-edit.ts';
import { jailOptionsOf } from './shown-options.ts';
import type { JailChanges, JailRegistry } from '../../jail/jail-registry.ts';
import type { JailRunner } from './jail-runner.ts';
import type { Judge } from '../judging/judge.ts';
import type { LogSources } from '../reading/log-sources.ts';
import { freshProblems, reloadFaults } from './reload-faults.ts';
import {
  asConfigured,
  type Configuration,
  resolveSteered,
  type Steering,
  withJailFrom,
  without,
} from './steering.ts';

export interface LiveJailsParts {
  /** The configuration as it was read at the start. */
  readonly configuration: Configuration;
  /** Reads the configuration again. */
  readonly reread: () => Promise<Configuration>;
  readonly docker: DockerState;
  /** Whose labels defined which jail in the run before. */
  readonly definers: Definers;
  readonly runner: JailRunner;
  readonly registry: JailRegistry;
  readonly enforcer: Enforcer;
  readonly bans: Bans;
  readonly judge: Judge;
  readonly sources: LogSources;
  readonly events: EventLog;
  readonly clock: () => number;
}

const nothing = { containers: [], networks: [] };

/**
 * Which jails run, by the configuration, the labels and the operator's hand. Every change of either takes the same way: what is
 * to be is worked out anew, and only what differs changes, so that counts, bans and positions in logs stay. One change at a time.
 */
export class LiveJails implements LiveControl {
  readonly #parts: LiveJailsParts;
  readonly #serial = new Serial();
  /** Reloads that have not begun, by what is asked for. */
  readonly #waiting = new Map<string, Promise<ReloadResult | undefined>>();
  #steering: Steering;
  #definers: Definers;
  #isClosed = false;

  constructor(parts: LiveJailsParts) {
    this.#parts = parts;
    this.#steering = asConfigured(parts.configuration);
    this.#definers = parts.definers;
  }

  /** Adapts to what is known of Docker. */
  async follow(): Promise<void> {
    await this.#serial.run(() => this.#apply());
  }

  /** Resolves when all changes are done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#serial.run(async () => undefined);
  }

  reload(jail: string | undefined, restart = false): Promise<ReloadResult | undefined> {
    // A reload that hasn't begun will see everything written by now.
    const key = JSON.stringify([jail, restart]);
    const waiting = this.#waiting.get(key);
    if (waiting) return waiting;
    const result = this.#serial.run(async () => {
      this.#waiting.delete(key);
      const done = await this.#reload(jail);
      if (restart && done?.applied) this.#beginAnew(jail);
      return done;
    });
    this.#waiting.set(key, result);
    return result;
  }

  options(name: string): JailOptions | undefined {
    const spec = this.#parts.registry.active.get(name)?.jail.spec;
    return spec && jailOptionsOf(spec, (source) => this.#parts.sources.logsOf(source));
  }

  edit(name: string, edit: JailEdit): Promise<JailOptions | undefined> {
    return this.#serial.run(async () => {
      const { edits } = this.#steering;
      const spec = this.#parts.registry.active.get(name)?.jail.spec;
      if (!spec) return undefined;
      const edited = withEdit(spec, edits.get(name) ?? noEdits, edit);
      const next = { ...this.#steering, edits: new Map([...edits, [name, edited]]) };
      const fault = (await this.#resolve(next)).editFaults.get(name);
      if (fault) throw new Dock2banError('invalid-option', fault.message, { fix: fault.fix });
      this.#steering = next;
      await this.#apply();
      return this.options(name);
    });
  }

  start(name: string): Promise<boolean> {
    return this.#serial.run(async () => {
      if (this.#parts.registry.active.has(name)) return true;
      const { started, stopped } = this.#steering;
      const allowed = { ...this.#steering, stopped: without(stopped, name) };
      const enabled = { ...allowed, started: new Set([...started, name]) };
      const runs = async (steering: Steering): Promise<boolean> =>
        (await this.#resolve(steering)).jails.some((jail) => jail.name === name);
      const next = (await runs(allowed)) ? allowed : (await runs(enabled)) ? enabled : undefined;
      if (!next) {
        const { names, problems } = await this.#resolve(enabled);
        if (names.includes(name)) throw notStarted(name, problems);
        return false;
      }
      this.#steering = next;
      await this.#apply();
      return true;
    });
  }

  stop(name: string): Promise<boolean> {
    return this.#serial.run(async () => {
      const { registry, enforcer } = this.#parts;
      const jail = registry.all.get(name);
      if (!jail || (!registry.active.has(name) && jail.bans.size === 0)) return false;
      const { edits, started, stopped } = this.#steering;
      this.#steering = {
        ...this.#steering,
        edits: new Map([...edits].filter(([other]) => other !== name)),
        started: without(started, name),
        stopped: new Set([...stopped, name]),
      };
      await this.#apply();
      await enforcer.letGo(
        name,
        [...jail.bans.keys()].flatMap((ip) => jail.unban(ip) ?? []),
      );
      jail.beginAnew();
      return true;
    });
  }

  async attempt(
    name: string,
    ips: readonly string[],
    lines: readonly string[],
  ): Promise<HandResult | undefined> {
    const { registry, judge, bans, clock } = this.#parts;
    const jail = registry.active.get(name)?.jail;
    if (!jail) return undefined;
    const refused = ips.flatMap((ip) => {
      const reason = bans.refusal(name, ip);
      return reason === undefined ? [] : [{ ip, reason: `not counted: ${reason}` }];
    });
    const counted = ips.filter((ip) => !refused.some((other) => other.ip === ip));
    const time = clock();
    const logged = lines.length > 0 ? lines.map((line) => [line]) : [[]];
    judge.count(
      jail,
      counted.flatMap((id) => logged.map((kept) => ({ id, time, attempts: 1, lines: kept, fields: {} }))),
    );
    return { count: counted.length, refused };
  }

  #beginAnew(only: string | undefined): void {
    for (const [name, { jail }] of this.#parts.registry.active)
      if (only === undefined || only === name) jail.beginAnew();
  }

  async #reload(only: string | undefined): Promise<ReloadResult | undefined> {
    const before = this.#steering;
    try {
      return await this.#take(await this.#parts.reread(), only);
    } catch (error) {
      this.#steering = before;
      return this.#refuse([unusable(error)]);
    }
  }

  /** Applies a configuration, if nothing is wrong with it. */
  async #take(configuration: Configuration, only: string | undefined): Promise<ReloadResult | undefined> {
    const { events } = this.#parts;
    const next =
      only === undefined ? asConfigured(configuration) : withJailFrom(this.#steering, only, configuration);
    const before = await this.#resolve(this.#steering);
    const definers = only === undefined ? this.#presentDefiners() : this.#definers;
    const whole = await this.#resolve(asConfigured(configuration), definers);
    const after = only === undefined ? whole : await this.#resolve(next);
    if (only !== undefined && ![...before.names, ...whole.names].includes(only)) return undefined;
    const faults = reloadFaults(before, whole, only);
    if (faults.length > 0) {
      const others = freshProblems(before, whole).filter(({ severity }) => severity === 'warn');
      return this.#refuse([...new Set([...faults, ...others])]);
    }
    this.#steering = next;
    this.#definers = definers;
    const changes = await this.#apply();
    const names = (jails: JailChanges['started'] = []) => jails.map(({ name }) => name);
    const result: ReloadResult = {
      applied: true,
      started: names(changes?.started),
      changed: names(changes?.changed),
      stopped: names(changes?.stopped),
      problems: after.problems.filter(({ severity }) => severity === 'warn').map(shown),
    };
    events.reloaded(result);
    return result;
  }

  #refuse(problems: readonly ConfigProblem[]): ReloadResult {
    for (const problem of problems) this.#parts.events.configProblem(problem);
    this.#parts.events.reloadRefused(problems.length);
    return { applied: false, started: [], changed: [], stopped: [], problems: problems.map(shown) };
  }

  #resolve(steering: Steering, definers = this.#definers): Promise<ResolvedJails> {
    return resolveSteered(steering, { ...(this.#parts.docker.snapshot ?? nothing), definers });
  }

  /** Without those whose container is gone: a reload by the operator forgets them. */
  #presentDefiners(): Definers {
    const { snapshot } = this.#parts.docker;
    if (!snapshot) return this.#definers;
    const names = new Set(snapshot.containers.map(definerName));
    return new Map([...this.#definers].filter(([, { container }]) => names.has(container)));
  }

  /** Undefined: nothing runs, since Docker hasn't answered yet or everything is ending. */
  async #apply(): Promise<JailChanges | undefined> {
    const { docker, runner } = this.#parts;
    if (!docker.snapshot || this.#isClosed) return undefined;
    const resolved = await this.#resolve(this.#steering);
    this.#definers = resolved.definers;
    return runner.run(resolved, this.#steering.stopped);
  }
}

function shown({ where, message, fix }: ConfigProblem): ReloadResult['problems'][number] {
  return { where, message, fix };
}

function unusable(error: unknown): ConfigProblem {
  return {
    severity: 'warn',
    where: 'configuration',
    message: `can't be used: ${messageOf(error)}`,
    fix: 'undo the last change of it',
  };
}

function notStarted(name: string, problems: readonly ConfigProblem[]): Dock2banError {
  const problem = problems.find(({ jail }) => jail === name);
  return problem
    ? new Dock2banError('not-started', `${problem.where}: ${problem.message}`, { fix: problem.fix })
    : new Dock2banError('not-started', `jail ${name} has no logpath, and no container names it`, {
        fix: `set logpath, or give a container the label fail2ban.jail=${name}`,
      });
}
