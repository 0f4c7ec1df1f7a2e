import type { ContainerSnapshot, NetworkSnapshot } from '../docker/snapshot.ts';
import { readAccess } from './labels/access.ts';
import type { AccessSpec } from './labels/access-spec.ts';
import { believedLabels } from './labels/believed-labels.ts';
import { CheckedFilters, type CompileFilter } from './jails/checked-filters.ts';
import { type ConfigError, orElse } from './conf/config-error.ts';
import type { ConfigTree } from './conf/config-tree.ts';
import { jailDefinitions, type JailDefinitions } from './jails/jail-definitions.ts';
import { floatingProblem } from './jails/floating-problem.ts';
import { jailSpec } from './jails/jail-assembly.ts';
import { type JailEdits, noEdits } from './jails/jail-edits.ts';
import type { JailFilter } from './jails/jail-filter.ts';
import type { Definers } from './jails/jail-definer.ts';
import { JailMembers } from './jails/jail-members.ts';
import { withoutMeaning } from './options/jail-options.ts';
import { JailReader } from './jails/jail-reader.ts';
import type { ConfigProblem, JailSpec } from './jail-spec.ts';
import { defaultPolicy, type LabelPolicy } from './labels/label-policy.ts';
import { readLabels } from './labels/labels.ts';
import { hostServicePorts } from './jails/host-service-ports.ts';
import { OwnPorts } from './labels/own-ports.ts';
import type { ReceiverAddress } from './labels/syslog-address.ts';
import { unfilteredNetworks } from './networks/unfiltered-networks.ts';

/** What the configuration and the labels ask for. */
export interface ResolvedJails {
  readonly jails: readonly JailSpec[];
  readonly access: readonly AccessSpec[];
  readonly problems: readonly ConfigProblem[];
  /** Every jail that the files define or a container names, to be run or not. */
  readonly names: readonly string[];
  /** Whose labels define which jail, of containers that are gone too: whoever comes meanwhile is not given the jail. */
  readonly definers: Definers;
  /** By jail, why what was changed by hand can't be used any more, and is left out. */
  readonly editFaults: ReadonlyMap<string, ConfigError>;
}

/**
 * Every jail that is to run, those that containers name by label and those that the configuration enables, and who gets to which
 * container. Pure: the same input gives the same answer. What can't be used is a problem and stops nothing else.
 */
export function resolveJails(input: {
  readonly tree: ConfigTree;
  readonly containers: readonly ContainerSnapshot[];
  readonly compileFilter: CompileFilter;
  readonly networks?: readonly NetworkSnapshot[];
  /** Our own syslog receivers. */
  readonly receivers?: readonly ReceiverAddress[];
  /** Jails to be run as if their `enabled` were true. */
  readonly enabled?: ReadonlySet<string>;
  readonly policy?: LabelPolicy;
  /** Who has defined which jail by label so far. */
  readonly definers?: Definers;
  /** Changes made by hand, by jail. */
  readonly edits?: ReadonlyMap<string, JailEdits>;
}): ResolvedJails {
  const { tree, networks = [] } = input;
  const definitions = jailDefinitions(tree);
  const resolver = new Resolver(input, definitions);
  const believed = input.containers
    .toSorted(byAge)
    .map((container) => believedLabels(container, input.policy ?? defaultPolicy));
  const containers = believed.map(({ container }) => container);
  for (const container of containers) resolver.bind(container);
  const names = [...new Set([...definitions.names, ...resolver.bound])];
  const jails = names.flatMap((name) => resolver.jail(name, input.enabled?.has(name) ?? false) ?? []);
  const accesses = containers.map((container) => readAccess(container, networks, resolver.ownPorts));
  const problems = [
    ...tree.problems,
    ...definitions.problems,
    ...believed.flatMap((each) => each.problems),
    ...resolver.problems,
    ...accesses.flatMap((each) => each.problems),
    ...unfilteredNetworks(input.containers, networks),
  ];
  const access = accesses.flatMap((each) => each.access ?? []);
  const { definers, editFaults } = resolver;
  return { jails, access, problems: unique(problems), names, definers, editFaults };
}

class Resolver {
  readonly problems: ConfigProblem[] = [];
  readonly editFaults = new Map<string, ConfigError>();
  readonly ownPorts: OwnPorts;
  readonly #input: Parameters<typeof resolveJails>[0];
  readonly #definitions: JailDefinitions;
  readonly #filters: CheckedFilters;
  readonly #members: JailMembers;

  constructor(input: Parameters<typeof resolveJails>[0], definitions: JailDefinitions) {
    this.#input = input;
    this.#definitions = definitions;
    this.#filters = new CheckedFilters(input.tree, definitions, input.compileFilter);
    this.#members = new JailMembers(input, definitions, this.#filters, this.problems);
    this.ownPorts = new OwnPorts(input.containers, hostServicePorts(definitions));
  }

  get bound(): Iterable<string> {
    return this.#members.jails;
  }

  get definers(): Definers {
    return this.#members.definers;
  }

  /** Takes note of the jails that a container's labels name. */
  bind(container: ContainerSnapshot): void {
    const { bindings, problems } = readLabels(container);
    this.problems.push(...problems);
    for (const binding of bindings) this.#members.add(binding);
  }

  /** Undefined: it isn't to run. @param isEnabled whatever the files say */
  jail(name: string, isEnabled: boolean): JailSpec | undefined {
    const { labels, containers, definer } = this.#members.of(name);
    const enabled = new JailReader(this.#definitions, name, new Map());
    const hostServices = isEnabled || (enabled.value('enabled') ?? false);
    this.problems.push(...enabled.problems);
    if (containers.length === 0 && !hostServices) return undefined;
    this.#noteMeaningless(name);
    const edits = this.#input.edits?.get(name) ?? noEdits;
    const edited = (): JailFilter => this.#filters.resolve(name, labels, definer, edits);
    const unedited = (): JailFilter => this.#filters.resolve(name, labels, definer);
    const run = (): JailSpec | undefined => {
      const filter =
        edits === noEdits
          ? unedited()
          : orElse(edited, (error) => {
              const unchanged = unedited();
              this.#noteUnfit(name, error);
              return unchanged;
            });
      const { ownPorts, problems } = this;
      const { networks = [] } = this.#input;
      const spec = jailSpec({ name, filter, containers, networks, ownPorts, hostServices, problems });
      const doubt = floatingProblem(
        name,
        filter,
        containers.map(({ binding }) => binding.container),
      );
      this.problems.push(...filter.problems, ...filter.reader.problems, ...(doubt ? [doubt] : []));
      return spec;
    };
    return orElse(run, ({ message, fix, where = enabled.placeOf('enabled') }) => {
      const what = `jail ${name} is left out: ${message}`;
      this.problems.push({ severity: 'warn', where, message: what, fix, jail: name });
      return undefined;
    });
  }

  #noteUnfit(jail: string, fault: ConfigError): void {
    this.editFaults.set(jail, fault);
    this.problems.push({
      severity: 'warn',
      where: `jail ${jail}`,
      message: `what was changed by hand is left out, as it can't be used any more: ${fault.message}`,
      fix: 'change it by hand again, or write it into jail.local',
      jail,
    });
  }

  #noteMeaningless(name: string): void {
    const section = this.#definitions.set.sections.get(name);
    for (const [option, { why, fine }] of withoutMeaning) {
      const set = section?.get(option) ?? this.#definitions.set.defaults.get(option);
      if (!set || fine?.test(set.value)) continue;
      this.problems.push({
        severity: 'info',
        where: `${set.file}:${set.line}`,
        message: `${option} means nothing here: ${why}`,
        fix: 'remove it, or let it be',
      });
    }
  }
}

function byAge(a: ContainerSnapshot, b: ContainerSnapshot): number {
  return a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1);
}

function unique(problems: readonly ConfigProblem[]): ConfigProblem[] {
  const seen = new Map<string, ConfigProblem>();
  for (const problem of problems) {
    const key = JSON.stringify([problem.where, problem.message]);
    if (!seen.has(key)) seen.set(key, problem);
  }
  return [...seen.values()];
}
