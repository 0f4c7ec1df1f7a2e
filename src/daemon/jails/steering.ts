import type { Definers } from '../../config/jails/jail-definer.ts';
import type { ConfigProblem } from '../../config/jail-spec.ts';
import type { JailEdits } from '../../config/jails/jail-edits.ts';
import type { ResolvedJails } from '../../config/resolve.ts';
import type { ContainerSnapshot, NetworkSnapshot } from '../../docker/snapshot.ts';

/** What a configuration, and the labels of containers, are asked for. */
export interface Wanted {
  readonly containers: readonly ContainerSnapshot[];
  readonly networks: readonly NetworkSnapshot[];
  /** Jails to be run as if their `enabled` were true. */
  readonly enabled: ReadonlySet<string>;
  /** Whose labels have defined which jail so far. */
  readonly definers: Definers;
  /** Changes made by hand, by jail. */
  readonly edits: ReadonlyMap<string, JailEdits>;
}

/** A configuration as it was read: what it and the labels ask for. */
export type Configuration = (wanted: Wanted) => ResolvedJails | Promise<ResolvedJails>;

/** What decides which jails run, and how: the configuration, and what the operator has done by hand since it was read. */
export interface Steering {
  readonly configuration: Configuration;
  /** Of jails that were reloaded alone since. */
  readonly ofJail: ReadonlyMap<string, Configuration>;
  readonly edits: ReadonlyMap<string, JailEdits>;
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

/** Which jails are to run. */
export async function resolveSteered(
  { configuration, ofJail, edits, started: enabled, stopped }: Steering,
  surroundings: Pick<Wanted, 'containers' | 'networks' | 'definers'>,
): Promise<ResolvedJails> {
  const wanted = { ...surroundings, enabled, edits };
  const base = await configuration(wanted);
  const alone: (readonly [string, ResolvedJails])[] = [];
  for (const [name, other] of ofJail) alone.push([name, partOf(name, await other(wanted))]);
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
    editFaults: new Map([base, ...alone.map(([, part]) => part)].flatMap((part) => [...part.editFaults])),
  };
}

function partOf(name: string, resolved: ResolvedJails): ResolvedJails {
  return {
    ...resolved,
    jails: resolved.jails.filter((jail) => jail.name === name),
    problems: resolved.problems.filter(({ jail }) => jail === name),
    editFaults: new Map([...resolved.editFaults].filter(([jail]) => jail === name)),
  };
}
