import type { ContainerSnapshot, NetworkSnapshot } from '../docker/snapshot.ts';
import { readAccess } from './access.ts';
import type { AccessSpec } from './access-spec.ts';
import { CheckedFilters, FilterError, type CompileFilter } from './checked-filters.ts';
import { ConfigError } from './config-error.ts';
import { filterNames, type ConfigTree } from './config-tree.ts';
import { containerSources, type BoundContainer, type ContainerSources } from './container-source.ts';
import { hasFilter } from './filter-options.ts';
import { jailDefinitions, type JailDefinitions } from './jail-definitions.ts';
import { jailSpec } from './jail-assembly.ts';
import { withoutMeaning, type JailOption } from './jail-options.ts';
import { JailReader } from './jail-reader.ts';
import type { ConfigProblem, JailSpec } from './jail-spec.ts';
import { labelPlace, labelProblem, readLabels, type Binding, type Label } from './labels.ts';
import { nearest } from './nearest.ts';
import type { ReceiverAddress } from './syslog-address.ts';
import { unfilteredNetworks } from './unfiltered-networks.ts';

/** What the configuration and the labels ask for. */
export interface ResolvedJails {
  readonly jails: readonly JailSpec[];
  readonly access: readonly AccessSpec[];
  readonly problems: readonly ConfigProblem[];
  /** Every jail that the files define or a container names, to be run or not. */
  readonly names: readonly string[];
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
}): ResolvedJails {
  const { tree } = input;
  const definitions = jailDefinitions(tree);
  const resolver = new Resolver(
    tree,
    definitions,
    input.compileFilter,
    input.receivers ?? [],
    input.networks ?? [],
  );
  const containers = input.containers.toSorted(byAge);
  for (const container of containers) resolver.bind(container);
  const names = [...new Set([...definitions.names, ...resolver.bound])];
  const jails = names.flatMap((name) => resolver.jail(name, input.enabled?.has(name) ?? false) ?? []);
  const unfiltered = unfilteredNetworks(input.containers, input.networks ?? []);
  const accesses = containers.map((container) => readAccess(container, input.networks ?? []));
  const problems = [
    ...tree.problems,
    ...definitions.problems,
    ...resolver.problems,
    ...accesses.flatMap((each) => each.problems),
    ...unfiltered,
  ];
  const access = accesses.flatMap((each) => each.access ?? []);
  return { jails, access, problems: unique(problems), names };
}

class Resolver {
  readonly problems: ConfigProblem[] = [];
  readonly #tree: ConfigTree;
  readonly #definitions: JailDefinitions;
  readonly #filters: CheckedFilters;
  readonly #receivers: readonly ReceiverAddress[];
  readonly #networks: readonly NetworkSnapshot[];
  readonly #containers = new Map<string, BoundContainer[]>();

  constructor(
    tree: ConfigTree,
    definitions: JailDefinitions,
    compile: CompileFilter,
    receivers: readonly ReceiverAddress[],
    networks: readonly NetworkSnapshot[],
  ) {
    this.#tree = tree;
    this.#receivers = receivers;
    this.#networks = networks;
    this.#definitions = definitions;
    this.#filters = new CheckedFilters(tree, definitions, compile);
  }

  get bound(): Iterable<string> {
    return this.#containers.keys();
  }

  /** Binds a container to the jails that its labels name, as far as they are usable with these labels. */
  bind(container: ContainerSnapshot): void {
    const { bindings, problems } = readLabels(container);
    this.problems.push(...problems);
    for (const binding of bindings) {
      try {
        this.#checkDefined(binding);
        const { sources, fallback } = containerSources(binding, this.#receivers);
        this.#filters.resolve(binding.jail, binding.options);
        const others = this.#containers.get(binding.jail) ?? [];
        this.#containers.set(binding.jail, [...others, { binding, sources }]);
        if (fallback) this.problems.push(fallbackNotice(binding, fallback));
      } catch (error) {
        this.problems.push(bindingProblem(binding, error));
      }
    }
  }

  /** Undefined: it isn't to run. @param isEnabled whatever the files say */
  jail(name: string, isEnabled: boolean): JailSpec | undefined {
    const containers = this.#containers.get(name) ?? [];
    const labels = this.#mergeLabels(name, containers);
    const enabled = new JailReader(this.#definitions, name, new Map());
    const hostServices = isEnabled || (enabled.value('enabled') ?? false);
    this.problems.push(...enabled.problems);
    if (containers.length === 0 && !hostServices) return undefined;
    this.#noteMeaningless(name);
    try {
      const filter = this.#filters.resolve(name, labels);
      const networks = this.#networks;
      const spec = jailSpec({ name, filter, containers, networks, hostServices, problems: this.problems });
      this.problems.push(...filter.problems, ...filter.reader.problems);
      return spec;
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.problems.push({
        severity: 'warn',
        where: error.where ?? enabled.placeOf('enabled'),
        message: `jail ${name} is left out: ${error.message}`,
        fix: error.fix ?? 'correct it',
        jail: name,
      });
      return undefined;
    }
  }

  #checkDefined({ jail, options }: Binding): void {
    const defined =
      this.#definitions.names.includes(jail) ||
      hasFilter(this.#tree, jail) ||
      options.has('failregex') ||
      options.has('filter');
    if (defined) return;
    const meant = nearest(jail, [...this.#definitions.names, ...filterNames(this.#tree)]);
    throw new ConfigError(
      `nothing defines a jail or filter ${JSON.stringify(jail)}`,
      meant === undefined
        ? `add [${jail}] to jail.local, filter.d/${jail}.conf, or the label fail2ban.failregex`
        : `did you mean ${meant}?`,
    );
  }

  /** What the labels of all of a jail's containers say; the oldest container's value stands. */
  #mergeLabels(jail: string, containers: readonly BoundContainer[]): Map<JailOption, Label> {
    const merged = new Map<JailOption, { label: Label; container: ContainerSnapshot }>();
    for (const { binding } of containers) {
      for (const [option, label] of binding.options) {
        if (option === 'port' || option === 'logpath') continue;
        const first = merged.get(option);
        if (!first) merged.set(option, { label, container: binding.container });
        else if (first.label.value.trim() !== label.value.trim()) {
          this.problems.push(
            labelProblem(
              binding.container,
              label,
              `${option} of jail ${jail} is set otherwise by the older container: ${labelPlace(first.container, first.label)} stands`,
              'give both containers the same value, or a jail each',
              jail,
            ),
          );
        }
      }
    }
    return new Map([...merged].map(([option, { label }]) => [option, label]));
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

function bindingProblem({ container, options, label, jail }: Binding, error: unknown): ConfigProblem {
  if (!(error instanceof ConfigError)) throw error;
  const blamed = error instanceof FilterError ? options.get(error.option) : undefined;
  const message = error.where === undefined ? error.message : `${error.where}: ${error.message}`;
  return labelProblem(container, blamed ?? label, message, error.fix ?? 'correct it', jail);
}

function fallbackNotice(
  { container, label, jail }: Binding,
  { why, fix }: NonNullable<ContainerSources['fallback']>,
): ConfigProblem {
  const message = `${why}: Docker's own copy of its log is read instead`;
  return { ...labelProblem(container, label, message, fix, jail), severity: 'info' };
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
