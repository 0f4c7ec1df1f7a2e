import type { Family } from '../../net/address.ts';
import { noAccess, type AccessRules } from '../access/access-rules.ts';
import type { GuardedJail } from '../firewall.ts';
import { accessChains, awaitedChain } from './access.ts';
import { jailChain, ownTable, setOf, sourceIn, type Place } from './names.ts';
import { closedPorts, portMatch, type Chain, type Line } from './expressions.ts';

export type { Chain, Line } from './expressions.ts';

/** What our table should hold, apart from the elements of its sets. */
export interface Layout {
  readonly sets: ReadonlyMap<string, Place>;
  readonly chains: ReadonlyMap<string, Chain>;
}

/**
 * Plans our table. The chain `guard` lets everyone pass whom no jail has banned, for one lookup a prefix length in use. `banned` lets
 * answers pass: a ban closes what the offender opens, not what this host or its containers open to it. Then each jail closes everything, or
 * what was addressed to a published port before Docker's DNAT; that is the same port for packets forwarded to a container and for
 * those to docker-proxy or the host itself.
 * @param jails whose bans close something
 * @param places what there must be sets for
 * @param access what is closed by label: that comes before, in chains of its own
 */
export function layoutOf(
  jails: readonly GuardedJail[],
  places: Iterable<Place>,
  access: AccessRules = noAccess,
): Layout {
  const sets = new Map(
    [...places]
      .map((place) => [setOf(place), place] as const)
      .toSorted(([a, one], [b, other]) => one.family - other.family || compare(a, b)),
  );
  const lookups = (jail: string | undefined, then: string): Line[] =>
    [...sets.values()]
      .filter((place) => place.jail === jail)
      .map((place) => ({ text: `${sourceIn(place)} ${then}`, jail }));
  const shared = (hook: string | undefined, rules: readonly Line[]): Chain => ({
    hook,
    rules,
    jail: undefined,
  });
  const sorted = jails.toSorted((a, b) => compare(a.name, b.name));
  const closed = access.containers.length > 0;
  const entrance = (text: string): Line[] => (closed ? [{ text, jail: undefined }] : []);
  const chains = new Map<string, Chain>([
    ...accessChains(access),
    ...sorted.map(
      (jail) =>
        [
          jailChain(jail.name),
          { hook: undefined, rules: closingRules(jail), jail: jail.name } satisfies Chain,
        ] as const,
    ),
    [
      'banned',
      shared(undefined, [
        { text: 'ct direction reply return', jail: undefined },
        ...sorted.flatMap(({ name }) => lookups(name, `jump ${jailChain(name)}`)),
      ]),
    ],
    ['guard', shared(undefined, lookups(undefined, 'goto banned'))],
    ['input', shared(hookAt('input'), [...entrance('jump access'), { text: 'goto guard', jail: undefined }])],
    [
      'forward',
      shared(hookAt('forward'), [
        ...entrance('ct status dnat jump access'),
        ...(access.containers.some(({ awaited }) => awaited)
          ? entrance(`ct status dnat jump ${awaitedChain}`)
          : []),
        { text: 'goto guard', jail: undefined },
      ]),
    ],
  ]);
  return { sets, chains };
}

/** The lines that make a layout, whatever of it there is already. Chains get their rules anew. */
export function layoutLines({ sets, chains }: Layout): Line[] {
  return [
    ...setLines(sets.values()),
    ...[...chains].map(([name, { hook, jail }]) => ({
      text: `add chain ${ownTable} ${name}${hook === undefined ? '' : ` { ${hook} }`}`,
      jail,
    })),
    ...[...chains].map(([name, { jail }]) => ({ text: `flush chain ${ownTable} ${name}`, jail })),
    ...[...chains].flatMap(([name, { rules }]) =>
      rules.map(({ text, jail }) => ({ text: `add rule ${ownTable} ${name} ${text}`, jail })),
    ),
  ];
}

/** The lines that make sets, if they aren't there yet. */
export function setLines(places: Iterable<Place>): Line[] {
  return [
    { text: `add table ${ownTable}`, jail: undefined },
    ...Array.from(places, (place) => ({
      text: `add set ${ownTable} ${setOf(place)} { type ${elementType(place.family)}; flags timeout; }`,
      jail: place.jail,
    })),
  ];
}

/** Elements have this type. */
export function elementType(family: Family): string {
  return family === 4 ? 'ipv4_addr' : 'ipv6_addr';
}

/** Before Docker's own chains, which stand at priority 0, and after its DNAT. */
function hookAt(hook: 'input' | 'forward'): string {
  return `type filter hook ${hook} priority -5; policy accept;`;
}

/** A jail's rules: what it closes, and how. */
function closingRules({ name, closes, blocktype }: GuardedJail): Line[] {
  const matches: { protocol: string | undefined; match: string }[] =
    closes === 'all' ? [{ protocol: undefined, match: '' }] : closedPorts(closes).map(portMatch);
  return matches.flatMap(({ protocol, match }) =>
    verdicts(protocol, match, blocktype).map((text) => ({ text, jail: name })),
  );
}

function verdicts(
  protocol: string | undefined,
  match: string,
  blocktype: GuardedJail['blocktype'],
): string[] {
  const of = protocol === undefined ? '' : `meta l4proto ${protocol} `;
  if (blocktype === 'drop') return [`${of}${match}counter drop`];
  const reset = `meta l4proto tcp ${match}counter reject with tcp reset`;
  const unreachable = `${of}${match}counter reject with icmpx port-unreachable`;
  if (protocol === 'tcp') return [reset];
  return protocol === undefined ? [reset, unreachable] : [unreachable];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
