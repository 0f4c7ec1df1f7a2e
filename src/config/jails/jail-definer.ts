import type { ContainerSnapshot } from '../../docker/snapshot.ts';
import type { JailOption } from '../options/jail-options.ts';
import type { Label } from '../labels/label.ts';
import type { SourceSpec } from '../jail-spec.ts';
import type { Binding } from '../labels/labels.ts';

/** The container whose labels define a jail, and what they say of it. */
export interface Definer {
  /** As `definerName` has it. */
  readonly container: string;
  readonly labels: ReadonlyMap<JailOption, Label>;
}

/** By jail. */
export type Definers = ReadonlyMap<string, Definer>;

/** Who defines a jail, as far as the others that are in it are concerned. */
export interface JailOwner {
  /** `/etc/fail2ban/jail.local:3`, or `container web`. */
  readonly name: string;
  readonly fix: string;
}

/** A container in a jail that is another's: what its labels say of the jail otherwise doesn't count. */
export interface Refusal {
  readonly owner: JailOwner;
  readonly labels: readonly Label[];
}

/** A container in a jail, with where its lines are read. */
export interface BoundContainer {
  readonly binding: Binding;
  readonly sources: readonly SourceSpec[];
  /** The jail is another's. */
  readonly refusal?: Refusal;
}

/** What concerns the container alone that gives it: its log and its ports. */
const ownOptions: ReadonlySet<JailOption> = new Set(['logpath', 'port']);

/**
 * What a container is known by as the definer of a jail, so that it still is when it is made anew: its name, which no other container has at the
 * same time. Tasks of a Swarm service are known by the service.
 */
export function definerName({ name, labels }: ContainerSnapshot): string {
  const service = labels['com.docker.swarm.service.name'];
  return service !== undefined &&
    labels['com.docker.swarm.task.name'] === name &&
    name.startsWith(`${service}.`)
    ? `service ${service}`
    : name;
}

/** What a container's labels say of the jail itself. */
export function definition({ options }: Binding): ReadonlyMap<JailOption, Label> {
  return new Map([...options].filter(([option]) => !ownOptions.has(option)));
}

/**
 * The labels by which a container would have a jail otherwise than its owner has it.
 * @param standing what is so in the jail, by option
 */
export function refusedLabels(
  binding: Binding,
  standing: (option: JailOption) => string | undefined,
): Label[] {
  return [...definition(binding)]
    .filter(([option, { value }]) => value.trim() !== (standing(option) ?? '').trim())
    .map(([, label]) => label);
}

export function ownedByFiles(jail: string, place: string): JailOwner {
  return {
    name: place,
    fix: `set it there, or give the container a jail of its own: fail2ban.jail=NAME and fail2ban.filter=${jail}`,
  };
}

/** @param isGone whether it is in the jail no more */
export function ownedByContainer(jail: string, { container }: Definer, isGone: boolean): JailOwner {
  const own = `give the container a jail of its own: fail2ban.jail=NAME and fail2ban.filter=${jail}`;
  return {
    name: isGone ? `container ${container}, which is gone` : `container ${container}`,
    fix: isGone
      ? `if ${container} is gone for good, \`dock2ban reload\` forgets it; else ${own}`
      : `give both containers the same value, or ${own}`,
  };
}
