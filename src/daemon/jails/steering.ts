import type { Definers } from '../../config/jails/jail-definer.ts';
import type { ConfigProblem, JailSpec } from '../../config/jail-spec.ts';
import type { ResolvedJails } from '../../config/resolve.ts';
import type { ContainerSnapshot, NetworkSnapshot } from '../../docker/snapshot.ts';
import type { FilterSpec } from '../../filter/spec.ts';
import { changesFilter, type JailOverlay, noOverlay, overlaid } from './jail-overlay.ts';

/** What Docker shows of the host. */
export interface Surroundings {
  readonly containers: readonly ContainerSnapshot[];
  readonly networks: readonly NetworkSnapshot[];
  /** Whose labels have defined which jail so far. */
  readonly definers?: Definers;
}

/**
 * A configuration as it was read: what it, and these containers' labels, ask for.
 * @param enabled jails to be run as if their `enabled` were true
 */
export type Configuration = (
  containers: readonly ContainerSnapshot[],
  networks: readonly NetworkSnapshot[],
  enabled: ReadonlySet<string>,
  definers?: Definers,
) => ResolvedJails;

/** What of a filter can't be compiled; undefined: all can. */
export type CheckFilter = (filter: FilterSpec) => string | undefined;

/** What decides which jails run, and how: the configuration, and what the operator has done by hand since it was read. */
export interface Steering {
  readonly configuration: Configuration;
  /** Of jails that were reloaded alone since. */
  readonly ofJail: ReadonlyMap<string, Configuration>;
  readonly edits: ReadonlyMap<string, JailOverlay>;
  /** Jails that run by hand, though the configuration doesn't enable them. */
  readonly started: ReadonlySet<string>;
  /** Jails that don't run, by hand. */
  readonly stopped: ReadonlySet<string>;
}

/** A configuration with nothing done by hand. */
export function asConfigured(configuration: Configuration): Steering {
  return { configuration, ofJail: new Map(), edits: new Map(), started: new Set(), stopped: new Set() };
}

/** Takes one jail's part from another configuration, and forgets what was done to it by hand. */
export function withJailFrom(steering: Steering, name: string, configuration: Configuration): Steering {
  const others = <T>(map: ReadonlyMap<string, T>) => [...map].filter(([other]) => other !== name);
  return {
    ...steering,
    ofJail: new Map([...others(steering.ofJail), [name, configuration]]),
    edits: new Map(others(steering.edits)),
    started: without(steering.started, name),
    stopped: without(steering.stopped, name),
  };
}

export function without(set: ReadonlySet<string>, name: string): ReadonlySet<string> {
  return new Set([...set].filter((other) => other !== name));
}

/** Which jails are to run, before their options are edited. */
export function resolveSteered(
  { configuration, ofJail, started, stopped }: Steering,
  { containers, networks, definers }: Surroundings,
): ResolvedJails {
  const base = configuration(containers, networks, started, definers);
  const alone = [...ofJail].map(
    ([name, other]) => [name, partOf(name, other(containers, networks, started, definers))] as const,
  );
  const isOthers = ({ jail }: ConfigProblem): boolean => jail === undefined || !ofJail.has(jail);
  const jails = [
    ...base.jails.filter(({ name }) => !ofJail.has(name)),
    ...alone.flatMap(([, part]) => part.jails),
  ];
  return {
    ...base,
    jails: jails.filter(({ name }) => !stopped.has(name)),
    problems: [...base.problems.filter(isOthers), ...alone.flatMap(([, part]) => part.problems)],
    names: [
      ...base.names.filter((name) => !ofJail.has(name)),
      ...alone.flatMap(([name, { names }]) => (names.includes(name) ? [name] : [])),
    ],
  };
}

function partOf(name: string, resolved: ResolvedJails): ResolvedJails {
  return {
    ...resolved,
    jails: resolved.jails.filter((jail) => jail.name === name),
    problems: resolved.problems.filter(({ jail }) => jail === name),
  };
}

/** The jails with what was edited by hand; an edit that doesn't fit any more is left out, with a problem. */
export function withEdits(
  resolved: ResolvedJails,
  edits: Steering['edits'],
  checkFilter: CheckFilter,
): ResolvedJails {
  const problems: ConfigProblem[] = [];
  const jails = resolved.jails.map((spec): JailSpec => {
    const overlay = edits.get(spec.name) ?? noOverlay;
    const edited = overlaid(spec, overlay);
    const fault = changesFilter(overlay) ? checkFilter(edited.filter) : undefined;
    if (fault === undefined) return edited;
    problems.push({
      severity: 'warn',
      where: `jail ${spec.name}`,
      message: `what was changed by hand doesn't fit its filter any more and is left out: ${fault}`,
      fix: 'change it by hand again, or write it into jail.local',
      jail: spec.name,
    });
    return spec;
  });
  return { ...resolved, jails, problems: [...resolved.problems, ...problems] };
}
