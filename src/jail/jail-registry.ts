import { isDeepStrictEqual } from 'node:util';
import { Turns } from '../async/turns.ts';
import type { JailSpec } from '../config/jail-spec.ts';
import type { Filter } from '../filter/filter.ts';
import { LineScreen } from '../filter/line-screen.ts';
import type { Ban } from './ban.ts';
import type { Jail } from './jail.ts';

/** A jail that runs: its filter stands ready. */
export interface ActiveJail {
  readonly jail: Jail;
  readonly filter: Filter;
  /** The filter's. */
  readonly screen: LineScreen;
}

/** What a change of the specs came to. */
export interface JailChanges {
  readonly started: readonly Jail[];
  readonly changed: readonly Jail[];
  readonly stopped: readonly Jail[];
}

/** Makes what a jail needs to run. */
export interface JailMaker {
  /** @throws for a filter that can't be used; config/ has refused those before */
  compile(spec: JailSpec): Filter;
  /** Of a jail that this process has not known yet. */
  newJail(spec: JailSpec): Jail;
}

/**
 * The jails of this process. A jail whose containers are gone is only inactive: its counts and bans are kept,
 * so that a container that is re-created finds them again.
 */
export class JailRegistry {
  readonly #jails = new Map<string, Jail>();
  readonly #active = new Map<string, ActiveJail>();

  /** Active jails by name. */
  get active(): ReadonlyMap<string, ActiveJail> {
    return this.#active;
  }

  /** Every jail, inactive ones too. */
  get all(): ReadonlyMap<string, Jail> {
    return this.#jails;
  }

  /** The bans of all of them. */
  *bans(): Generator<Ban> {
    for (const { bans } of this.#jails.values()) yield* bans.values();
  }

  /** Makes exactly these jails active, all in one go once their filters are compiled. Not for overlapping calls. */
  async apply(specs: readonly JailSpec[], maker: JailMaker): Promise<JailChanges> {
    const filters = new Map<string, Omit<ActiveJail, 'jail'>>();
    const turns = new Turns();
    for (const spec of specs) {
      const running = this.#active.get(spec.name);
      const old = running?.jail.spec;
      const same = old && old.findtime === spec.findtime && isDeepStrictEqual(old.filter, spec.filter);
      filters.set(spec.name, running && same ? running : screened(maker.compile(spec)));
      await turns.next();
    }
    const started: Jail[] = [];
    const changed: Jail[] = [];
    const wanted = new Set(specs.map(({ name }) => name));
    const stopped = [...this.#active.values()]
      .map(({ jail }) => jail)
      .filter(({ name }) => !wanted.has(name));
    for (const { name } of stopped) this.#active.delete(name);
    for (const spec of specs) {
      const running = this.#active.get(spec.name);
      if (running && isDeepStrictEqual(running.jail.spec, spec)) continue;
      const known = this.#jails.get(spec.name);
      const jail = known ?? maker.newJail(spec);
      const { filter, screen } = filters.get(spec.name)!;
      (running ? changed : started).push(jail);
      known?.update(spec);
      this.#jails.set(spec.name, jail);
      this.#active.set(spec.name, { jail, filter, screen });
    }
    return { started, changed, stopped };
  }
}

function screened(filter: Filter): Omit<ActiveJail, 'jail'> {
  return { filter, screen: new LineScreen(filter) };
}
