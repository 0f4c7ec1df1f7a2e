import { FilterError, type CheckedFilters } from './checked-filters.ts';
import { ConfigError, orElse, quoted } from '../conf/config-error.ts';
import { filterNames, type ConfigTree } from '../conf/config-tree.ts';
import { containerSources } from '../labels/container-source.ts';
import { hasFilter } from './filter-options.ts';
import {
  definerName,
  definition,
  ownedByContainer,
  ownedByFiles,
  refusedLabels,
  type BoundContainer,
  type Definer,
  type Definers,
  type JailOwner,
} from './jail-definer.ts';
import type { JailDefinitions } from './jail-definitions.ts';
import type { JailOption } from '../options/jail-options.ts';
import { JailReader } from './jail-reader.ts';
import type { ConfigProblem } from '../jail-spec.ts';
import { checkLimit, expressionCount, labelLimits, longerThan } from '../labels/label-limits.ts';
import { defaultPolicy, type LabelPolicy } from '../labels/label-policy.ts';
import { labelProblem } from '../labels/label.ts';
import type { Binding } from '../labels/labels.ts';
import { nearest } from '../options/nearest.ts';
import type { ReceiverAddress } from '../labels/syslog-address.ts';

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
  of(jail: string): {
    labels: Binding['options'];
    containers: readonly BoundContainer[];
    definer?: string;
  } {
    const bindings = this.#bindings.get(jail) ?? [];
    const place = this.#definitions.operators.get(jail);
    const none: Binding['options'] = new Map();
    if (bindings.length === 0) return { labels: none, containers: [] };
    if (place !== undefined)
      return { labels: none, containers: this.#joined(bindings, none, ownedByFiles(jail, place)) };
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
      for (const binding of usable)
        this.#reporting(binding, () => {
          throw this.#undefinedJail(jail);
        });
      return { labels: none, containers: [] };
    }
    // The last to be forgotten.
    this.#definers.delete(jail);
    this.#definers.set(jail, definer);
    const owner = ownedByContainer(jail, definer, !bindings.some(isKnown) && !own);
    const containers = this.#joined(usable, definer.labels, owner, own);
    return { labels: definer.labels, containers, definer: definer.container };
  }

  /** The first whose labels can define the jail. @param broken gets those that would but can't */
  #firstUsable(bindings: readonly Binding[], broken: Set<Binding>): Binding | undefined {
    return bindings.find((binding) => {
      if (!this.#isDefinedBy(binding)) return false;
      const isUsable = this.#reporting(binding, () => {
        this.#checkLimits(binding);
        this.#filters.resolve(binding.jail, definition(binding), definerName(binding.container));
        return true;
      });
      if (!isUsable) broken.add(binding);
      return isUsable ?? false;
    });
  }

  /** @throws FilterError if its labels ask for more than labels may */
  #checkLimits({ container, options }: Binding): void {
    for (const [option, label] of options) {
      orElse(
        () => checkLimit(option, label),
        ({ message, fix }) => {
          throw new FilterError(option, message, fix);
        },
      );
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
      this.#problems.push(labelProblem(binding.container, first[1], message, fix, { jail: binding.jail }));
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
    return bindings.flatMap((binding) => {
      const bound = this.#reporting(binding, (): BoundContainer => {
        const { container, label, jail } = binding;
        const { sources, fallback } = containerSources(binding, this.#receivers, this.#policy);
        if (fallback) {
          const message = `${fallback.why}: Docker's own copy of its log is read instead`;
          const more = { severity: 'info', jail } as const;
          this.#problems.push(labelProblem(container, label, message, fallback.fix, more));
        }
        const reader = new JailReader(this.#definitions, jail, labels);
        // What can't be resolved is reported where it is read.
        const standing = (option: JailOption): string | undefined =>
          orElse(
            () => reader.text(option),
            () => undefined,
          );
        const refused = binding === definer ? [] : refusedLabels(binding, standing);
        return { binding, sources, ...(refused.length > 0 && { refusal: { owner, labels: refused } }) };
      });
      return bound ?? [];
    });
  }

  /** What `run` gives; undefined, with a problem, if a label is at fault. */
  #reporting<T>(binding: Binding, run: () => T): T | undefined {
    return orElse(run, (error) => {
      const { container, options, label, jail } = binding;
      const blamed = error instanceof FilterError ? options.get(error.option) : undefined;
      const message = error.where === undefined ? error.message : `${error.where}: ${error.message}`;
      this.#problems.push(labelProblem(container, blamed ?? label, message, error.fix, { jail }));
      return undefined;
    });
  }

  /** Whether what a container that is gone said of a jail can still be used. */
  #stillHolds(jail: string, { container, labels }: Definer): boolean {
    return orElse(
      () => this.#filters.resolve(jail, labels, container) !== undefined,
      () => false,
    );
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
      `unknown jail or filter ${quoted(jail)}`,
      meant === undefined
        ? `add [${jail}] to jail.local, filter.d/${jail}.conf, or the label fail2ban.failregex`
        : `did you mean ${meant}?`,
    );
  }
}
