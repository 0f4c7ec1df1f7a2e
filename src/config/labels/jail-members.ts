import { FilterError, type CheckedFilters } from '../jails/checked-filters.ts';
import { ConfigError } from '../conf/config-error.ts';
import { filterNames, type ConfigTree } from '../conf/config-tree.ts';
import { containerSources, type BoundContainer, type ContainerSources } from './container-source.ts';
import { hasFilter } from '../jails/filter-options.ts';
import {
  definerName,
  definition,
  ownedByContainer,
  ownedByFiles,
  refusedLabels,
  type Definer,
  type Definers,
  type JailOwner,
} from './jail-definer.ts';
import type { JailDefinitions } from '../jails/jail-definitions.ts';
import type { JailOption } from '../options/jail-options.ts';
import { JailReader } from '../jails/jail-reader.ts';
import type { ConfigProblem } from '../jail-spec.ts';
import { checkLimit, expressionCount, labelLimits, longerThan } from './label-limits.ts';
import { defaultPolicy, type LabelPolicy } from './label-policy.ts';
import { labelProblem, type Binding } from './labels.ts';
import { nearest } from '../options/nearest.ts';
import type { ReceiverAddress } from './syslog-address.ts';

/** Jails whose definers are remembered, though they may be gone. */
const mostDefiners = 500;

/** Which containers are in which jail, and whose labels say what the jail is. */
export class JailMembers {
  readonly #tree: ConfigTree;
  readonly #receivers: readonly ReceiverAddress[];
  readonly #policy: LabelPolicy;
  readonly #definitions: JailDefinitions;
  readonly #filters: CheckedFilters;
  readonly #problems: ConfigProblem[];
  /** What the labels of containers say, by jail; the oldest container first. */
  readonly #bindings = new Map<string, Binding[]>();
  readonly #definers: Map<string, Definer>;
  /** By container: expressions of the jails that it defines. */
  readonly #expressions = new Map<string, number>();

  /** @param problems gets what is wrong */
  constructor(
    input: {
      readonly tree: ConfigTree;
      readonly receivers?: readonly ReceiverAddress[];
      readonly definers?: Definers;
      readonly policy?: LabelPolicy;
    },
    definitions: JailDefinitions,
    filters: CheckedFilters,
    problems: ConfigProblem[],
  ) {
    this.#tree = input.tree;
    this.#receivers = input.receivers ?? [];
    this.#policy = input.policy ?? defaultPolicy;
    this.#definitions = definitions;
    this.#filters = filters;
    this.#problems = problems;
    const ofLabels = [...(input.definers ?? [])].filter(([jail]) => !definitions.operators.has(jail));
    this.#definers = new Map(ofLabels.slice(-mostDefiners));
  }

  /** Those that labels name. */
  get jails(): Iterable<string> {
    return this.#bindings.keys();
  }

  get definers(): Definers {
    return this.#definers;
  }

  /** To be called for the oldest container first. */
  add(binding: Binding): void {
    const { jail } = binding;
    if (!this.#bindings.has(jail)) this.#bindings.set(jail, []);
    this.#bindings.get(jail)!.push(binding);
  }

  /**
   * The containers of a jail, and what labels say of it: those of the container that defines it. That is nobody where the operator's files have
   * the jail; else who defined it before, also while it is gone, or the oldest that can.
   */
  of(jail: string): { labels: Binding['options']; containers: readonly BoundContainer[] } {
    const bindings = this.#bindings.get(jail) ?? [];
    const place = this.#definitions.operators.get(jail);
    const none: Binding['options'] = new Map();
    if (bindings.length === 0) return { labels: none, containers: [] };
    if (place !== undefined) {
      return { labels: none, containers: this.#joined(bindings, none, ownedByFiles(jail, place)) };
    }
    const known = this.#definers.get(jail);
    const isKnown = ({ container }: Binding): boolean => definerName(container) === known?.container;
    const broken = new Set<Binding>();
    const others = bindings.filter((binding) => !isKnown(binding));
    const again = this.#firstUsable(bindings.filter(isKnown), broken);
    const remembered = known && !again && this.#stillHolds(jail, known) ? known : undefined;
    const own = again ?? (remembered ? undefined : this.#firstUsable(others, broken));
    const definer = own
      ? { container: definerName(own.container), labels: this.#definition(own) }
      : remembered;
    const usable = bindings.filter((binding) => !broken.has(binding));
    if (!definer) {
      for (const binding of usable) this.#problems.push(bindingProblem(binding, this.#undefinedJail(jail)));
      return { labels: none, containers: [] };
    }
    // The last to be forgotten.
    this.#definers.delete(jail);
    this.#definers.set(jail, definer);
    const owner = ownedByContainer(jail, definer, !bindings.some(isKnown) && !own);
    return { labels: definer.labels, containers: this.#joined(usable, definer.labels, owner, own) };
  }

  /** The first whose labels can define the jail. @param broken gets those that would but can't */
  #firstUsable(bindings: readonly Binding[], broken: Set<Binding>): Binding | undefined {
    return bindings.find((binding) => {
      if (!this.#isDefinedBy(binding)) return false;
      try {
        this.#checkLimits(binding);
        this.#filters.resolve(binding.jail, definition(binding));
        return true;
      } catch (error) {
        this.#problems.push(bindingProblem(binding, error));
        broken.add(binding);
        return false;
      }
    });
  }

  /** @throws FilterError if its labels ask for more than labels may */
  #checkLimits({ container, options }: Binding): void {
    for (const [option, label] of options) {
      try {
        checkLimit(option, label);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        throw new FilterError(option, error.message, error.fix ?? '');
      }
    }
    const count = expressionCount(options);
    const ofContainer = (this.#expressions.get(container.name) ?? 0) + count;
    const ofAll = [...this.#expressions.values()].reduce((sum, each) => sum + each, count);
    if (count > 0 && (ofContainer > labelLimits.ofContainer || ofAll > labelLimits.ofAll)) {
      throw new FilterError(
        'failregex',
        `the labels of ${ofContainer > labelLimits.ofContainer ? 'the container' : 'all containers'} have too many expressions: the jails that go beyond are left out`,
        `keep them to ${labelLimits.ofContainer} a container, ${labelLimits.ofAll} in all, or make a filter of them in filter.d`,
      );
    }
    this.#expressions.set(container.name, ofContainer);
  }

  /** What the definer's labels say, within what the operator allows. */
  #definition(binding: Binding): Binding['options'] {
    const labels = new Map(definition(binding));
    const maxtime = this.#operatorsMaxtime(binding.jail);
    const long = maxtime === undefined ? [] : longerThan(labels, maxtime);
    for (const [option, { name }] of long) labels.set(option, { name, value: String(maxtime) });
    const [first] = long;
    if (first) {
      const names = long.map(([, { name }]) => name).join(', ');
      const message = `${names} is beyond bantime.maxtime of [DEFAULT], which is ${maxtime} seconds: that is the limit`;
      const fix = `ban for less, or set bantime in [${binding.jail}] of jail.local`;
      this.#problems.push(labelProblem(binding.container, first[1], message, fix, binding.jail));
    }
    return labels;
  }

  #operatorsMaxtime(jail: string): number | undefined {
    const { set } = this.#definitions;
    if (!set.defaults.has('bantime.maxtime')) return undefined;
    return new JailReader(this.#definitions, jail, new Map()).value('bantime.maxtime');
  }

  /** Containers whose lines can be read. @param definer the one whose jail it is */
  #joined(
    bindings: readonly Binding[],
    labels: Binding['options'],
    owner: JailOwner,
    definer?: Binding,
  ): BoundContainer[] {
    return bindings.flatMap((binding): BoundContainer[] => {
      try {
        const { sources, fallback } = containerSources(binding, this.#receivers, this.#policy);
        if (fallback) this.#problems.push(fallbackNotice(binding, fallback));
        const reader = new JailReader(this.#definitions, binding.jail, labels);
        const refused = binding === definer ? [] : refusedLabels(binding, (option) => textOf(reader, option));
        return [{ binding, sources, ...(refused.length > 0 && { refusal: { owner, labels: refused } }) }];
      } catch (error) {
        this.#problems.push(bindingProblem(binding, error));
        return [];
      }
    });
  }

  /** Whether what a container that is gone said of a jail can still be used. */
  #stillHolds(jail: string, { labels }: Definer): boolean {
    try {
      this.#filters.resolve(jail, labels);
      return true;
    } catch (error) {
      if (error instanceof ConfigError) return false;
      throw error;
    }
  }

  #isDefinedBy({ jail, options }: Binding): boolean {
    return (
      this.#definitions.names.includes(jail) ||
      hasFilter(this.#tree, jail) ||
      options.has('failregex') ||
      options.has('filter')
    );
  }

  #undefinedJail(jail: string): ConfigError {
    const meant = nearest(jail, [...this.#definitions.names, ...filterNames(this.#tree)]);
    return new ConfigError(
      `nothing defines a jail or filter ${JSON.stringify(jail)}`,
      meant === undefined
        ? `add [${jail}] to jail.local, filter.d/${jail}.conf, or the label fail2ban.failregex`
        : `did you mean ${meant}?`,
    );
  }
}

/** What can't be resolved is reported where it is read. */
function textOf(reader: JailReader, option: JailOption): string | undefined {
  try {
    return reader.text(option);
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
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
