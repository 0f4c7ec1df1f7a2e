import { familyOf, type Family } from '../../net/address.ts';
import type { AccessSpec } from '../../config/labels/access-spec.ts';
import type { BlockType, DirectPath } from '../../config/jail-spec.ts';
import type { GuardedJail } from '../firewall.ts';
import { accessChainAt, accessJumps, accessPaths } from './ingress-access.ts';
import { destinations, portMatches } from './matches.ts';
import { setOf, sourceIn, type Place } from './names.ts';

/** Our table for packets that pass no other hook of the host, as commands name it. */
export const netdevTable = 'netdev dock2ban';

export interface NetdevChain {
  /** Of a base chain: type, hook, device, priority and policy. */
  readonly hook: string | undefined;
  readonly rules: readonly string[];
}

/** What the table should hold, apart from the elements of its sets. */
export interface NetdevLayout {
  readonly sets: ReadonlyMap<string, Place>;
  readonly chains: ReadonlyMap<string, NetdevChain>;
}

/** More elements in one command end in `Message too long`. */
const mostElements = 4000;

/**
 * Plans the table. A packet that enters by an interface and is for no container there pays for one lookup; the others are looked up in the
 * jails' sets. There is no connection tracking at this place: what is dropped is whatever comes from the offender.
 * @param jails with paths of containers that stand in a local network by themselves
 * @param devices the interfaces that exist
 * @param places what there must be sets for
 * @param canReject whether the kernel can refuse packets here; else they are dropped
 * @param accesses what labels close: that comes before, in chains of its own
 */
export function netdevLayout(
  jails: readonly GuardedJail[],
  devices: ReadonlySet<string>,
  places: Iterable<Place>,
  canReject: boolean,
  accesses: readonly AccessSpec[] = [],
): NetdevLayout {
  const sets = new Map(
    Array.from(places, (place) => [setOf(place), place] as const).toSorted(([a], [b]) => compare(a, b)),
  );
  const chains = new Map<string, NetdevChain>();
  const sorted = jails.toSorted((a, b) => compare(a.name, b.name));
  const paths = sorted.flatMap((jail) => (jail.direct ?? []).map((path) => ({ jail, path })));
  const labelled = accessPaths(accesses).filter(({ path }) => devices.has(path.parent));
  for (const each of labelled) {
    const [name, rules] = accessChainAt(each);
    chains.set(name, { hook: undefined, rules });
  }
  const parents = [...new Set([...paths, ...labelled].map(({ path }) => path.parent))].toSorted(compare);
  for (const parent of parents.filter((each) => devices.has(each))) {
    const here = paths.filter(({ path }) => path.parent === parent);
    const rules = here.flatMap(({ jail: { name, blocktype }, path }) =>
      [...sets.values()]
        .filter(({ jail }) => jail === name)
        .flatMap((place) => closingRules(place, path, canReject ? blocktype : 'drop')),
    );
    const closed = labelled.filter(({ path }) => path.parent === parent);
    chains.set(`direct-${parent}`, { hook: undefined, rules: [...accessJumps(closed), ...rules] });
    const entries = ([4, 6] as const).flatMap((family) => {
      const to = destinations(
        [...here, ...closed].flatMap(({ path }) => path.addresses),
        family,
      );
      return to === undefined ? [] : [`${to} goto direct-${parent}`];
    });
    const hook = `type filter hook ingress device "${parent}" priority -5; policy accept;`;
    chains.set(`ingress-${parent}`, { hook, rules: entries });
  }
  return { sets, chains };
}

/** The lines that make the table anew, in one transaction; elements are to follow. */
export function netdevLines({ sets, chains }: NetdevLayout): string[] {
  return [
    // It can only be deleted if it is there, and adding it does nothing if it is.
    `add table ${netdevTable}`,
    `delete table ${netdevTable}`,
    `add table ${netdevTable}`,
    ...Array.from(sets, ([set, { family }]) => {
      const type = family === 4 ? 'ipv4_addr' : 'ipv6_addr';
      return `add set ${netdevTable} ${set} { type ${type}; flags timeout; }`;
    }),
    ...Array.from(
      chains,
      ([name, { hook }]) => `add chain ${netdevTable} ${name}${hook === undefined ? '' : ` { ${hook} }`}`,
    ),
    ...[...chains].flatMap(([name, { rules }]) =>
      rules.map((rule) => `add rule ${netdevTable} ${name} ${rule}`),
    ),
  ];
}

/** Commands that add or delete elements of one set, none of them too long. */
export function netdevElements(verb: 'add' | 'delete', set: string, elements: readonly string[]): string[] {
  const lines: string[] = [];
  for (let i = 0; i < elements.length; i += mostElements) {
    const some = elements.slice(i, i + mostElements).join(', ');
    lines.push(`${verb} element ${netdevTable} ${set} { ${some} }`);
  }
  return lines;
}

/** The families in which containers of a jail can be reached by themselves. */
export function directFamilies({ direct = [] }: GuardedJail): ReadonlySet<Family> {
  return new Set(direct.flatMap(({ addresses }) => addresses.map(familyOf)));
}

function closingRules(place: Place, { addresses, closes }: DirectPath, blocktype: BlockType): string[] {
  const to = destinations(addresses, place.family);
  if (to === undefined) return [];
  const base = `${sourceIn(place)} ${to}`;
  return portMatches(closes).flatMap(({ protocol, match }) => {
    if (blocktype === 'drop') return [`${base} ${match}counter drop`];
    const reset = `${base} ${match === '' ? 'meta l4proto tcp ' : match}counter reject with tcp reset`;
    const unreachable = `${base} ${match}counter reject with icmpx port-unreachable`;
    if (protocol === 'tcp') return [reset];
    return protocol === undefined ? [reset, unreachable] : [unreachable];
  });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
