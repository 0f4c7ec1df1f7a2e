import type { Family } from '../../net/address.ts';
import { compare } from '../../text/compare.ts';
import { setOf, type Place } from './names.ts';

/** A rule, and the jail without which it would not be there. */
export interface Rule {
  readonly text: string;
  /** Or what stands for a container, as `accessOwner` has it. */
  readonly jail: string | undefined;
}

/** A chain of a table of ours. */
export interface Chain {
  /** Base chains: type, hook, device, priority and policy. */
  readonly hook: string | undefined;
  readonly rules: readonly Rule[];
  readonly jail: string | undefined;
}

/** What a table of ours should hold, apart from the elements of its sets. */
export interface Layout {
  readonly sets: ReadonlyMap<string, Place>;
  readonly chains: ReadonlyMap<string, Chain>;
}

/** A line of a script: `VERB TABLE REST`. */
export interface Line {
  /** `add set`, … */
  readonly verb: string;
  readonly rest: string;
  /** As of a rule. */
  readonly jail?: string | undefined;
}

/** More elements in one command end in `Message too long`. */
const mostElements = 4000;

/** By name, in an order that depends on nothing else. */
export function setsOf(places: Iterable<Place>): ReadonlyMap<string, Place> {
  return new Map(
    Array.from(places, (place) => [setOf(place), place] as const).toSorted(
      ([a, one], [b, other]) => one.family - other.family || compare(a, b),
    ),
  );
}

/** A chain without a hook, all rules of which are there for one jail. */
export function plainChain(jail: string | undefined, texts: readonly string[]): Chain {
  return { hook: undefined, rules: texts.map((text) => ({ text, jail })), jail };
}

/** The lines that make a layout, whatever of it there is already. Chains get their rules anew. */
export function layoutLines({ sets, chains }: Layout): Line[] {
  return [
    ...setLines(sets.values()),
    ...Array.from(chains, ([name, { hook, jail }]) => {
      return { verb: 'add chain', rest: hook === undefined ? name : `${name} { ${hook} }`, jail };
    }),
    ...Array.from(chains, ([name, { jail }]) => ({ verb: 'flush chain', rest: name, jail })),
    ...[...chains].flatMap(([name, { rules }]) =>
      rules.map(({ text, jail }) => ({ verb: 'add rule', rest: `${name} ${text}`, jail })),
    ),
  ];
}

/** The lines that make sets, if they aren't there yet. */
export function setLines(places: Iterable<Place>): Line[] {
  const sets = Array.from(places, (place) => ({
    verb: 'add set',
    rest: `${setOf(place)} { type ${elementType(place.family)}; flags timeout; }`,
    jail: place.jail,
  }));
  return [{ verb: 'add table', rest: '' }, ...sets];
}

/** Commands that add or delete elements of one set, none of them too long. */
export function elementLines(
  verb: 'add element' | 'delete element',
  set: string,
  jail: string | undefined,
  elements: readonly string[],
): Line[] {
  const lines: Line[] = [];
  for (let i = 0; i < elements.length; i += mostElements) {
    const some = elements.slice(i, i + mostElements).join(', ');
    lines.push({ verb, rest: `${set} { ${some} }`, jail });
  }
  return lines;
}

/** The text by which two layouts are the same. */
export function textOf(layout: Layout): string {
  return layoutLines(layout)
    .map(({ verb, rest }) => `${verb} ${rest}`)
    .join('\n');
}

/** Elements have this type. */
export function elementType(family: Family): string {
  return family === 4 ? 'ipv4_addr' : 'ipv6_addr';
}
