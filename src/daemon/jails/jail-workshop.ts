import type { JailSpec } from '../../config/jail-spec.ts';
import type { CachingResolver } from '../../filter/caching-resolver.ts';
import { compileFilter, type Filter } from '../../filter/filter.ts';
import { sharedAllowance } from '../../filter/search-budget.ts';
import type { FilterSpec } from '../../filter/spec.ts';
import type { WorkSign } from '../../filter/work-sign.ts';
import { Jail } from '../../jail/jail.ts';
import { LineBudget } from '../../jail/line-budget.ts';
import type { Store } from '../../store/store.ts';
import type { EventLog } from '../events/event-log.ts';
import { CostlyLines } from '../judging/costly-lines.ts';
import type { Judge } from '../judging/judge.ts';
import { restoreFailures } from './counting.ts';
import type { JailMaker, JailRegistry } from '../../jail/jail-registry.ts';

/** Makes the sign that a jail's filter shows while it works. */
export type SignOf = (jail: string, filter: FilterSpec) => WorkSign;

export interface WorkshopParts {
  readonly registry: JailRegistry;
  readonly judge: Judge;
  readonly store: Store;
  readonly resolver: CachingResolver;
  readonly events: EventLog;
  /** Undefined: filters show nothing. */
  readonly signOf: SignOf | undefined;
  /** Epoch milliseconds. */
  readonly clock: () => number;
}

/** Makes jails, with what earlier runs have counted in them, and their filters. All jails share the bounds of memory and time. */
export class JailWorkshop implements JailMaker {
  readonly #parts: WorkshopParts;
  readonly #costlyLines: CostlyLines;
  readonly #allowance = sharedAllowance();
  readonly #lines = new LineBudget();

  constructor(parts: WorkshopParts) {
    this.#parts = parts;
    this.#costlyLines = new CostlyLines(parts.events, parts.clock);
  }

  newJail(spec: JailSpec): Jail {
    const { store, clock } = this.#parts;
    const jail = new Jail(spec, store.history, Math.random, this.#lines);
    restoreFailures(jail, store, clock());
    return jail;
  }

  compile(spec: JailSpec): Filter {
    const { registry, judge, resolver, clock, signOf } = this.#parts;
    const { name, filter, findtime } = spec;
    const sign = signOf?.(name, filter);
    const running = (): Jail | undefined => registry.active.get(name)?.jail;
    return compileFilter(filter, {
      findtime,
      resolver,
      onResolved: (failures) => {
        const jail = running();
        if (jail) judge.take(jail, failures, undefined, true);
      },
      onExceeded: (report) => this.#costlyLines.report(running()?.spec ?? spec, report),
      allowance: this.#allowance,
      clock,
      ...(sign && { sign }),
    });
  }
}
