import type { AccessSpec } from '../../config/labels/access-spec.ts';
import { compare } from '../../text/compare.ts';
import { noAccess, type AccessRules } from '../access/access-rules.ts';
import type { GuardedJail } from '../firewall.ts';
import { publishedMatches, sourceIn, sourceMatches, verdicts } from './expressions.ts';
import { plainChain, setsOf, type Chain, type Layout } from './layout.ts';
import { accessChain, accessOwner, jailChain, type Place } from './names.ts';

/** Our table at input and forward, as commands name it. */
export const inetTable = 'inet dock2ban';

/**
 * Plans our table at input and forward. The chain `guard` lets everyone pass whom no jail has banned, for one lookup a prefix length in use.
 * `banned` lets answers pass: a ban closes what the offender opens, not what this host or its containers open to it. Then each jail closes
 * everything, or what was addressed to a published port before Docker's DNAT; that is the same port for packets forwarded to a container and
 * for those to docker-proxy or the host itself.
 * @param jails whose bans close something
 * @param places what there must be sets for
 * @param access what is closed by label: that comes before, in chains of its own
 */
export function inetLayout(
  jails: readonly GuardedJail[],
  places: Iterable<Place>,
  access: AccessRules = noAccess,
): Layout {
  const sets = setsOf(places);
  const lookups = (jail: string | undefined, then: string): string[] =>
    [...sets.values()].filter((place) => place.jail === jail).map((place) => `${sourceIn(place)} ${then}`);
  const sorted = jails.toSorted((a, b) => compare(a.name, b.name));
  const banned = sorted.flatMap(({ name }) =>
    lookups(name, `jump ${jailChain(name)}`).map((text) => ({ text, jail: name })),
  );
  const { rules: first, ...shared } = plainChain(undefined, ['ct direction reply return']);
  const closed = access.containers.length > 0;
  const hasAwaited = access.containers.some(({ awaited }) => awaited);
  const chains = new Map<string, Chain>([
    ...accessChains(access),
    ...sorted.map((jail): [string, Chain] => [
      jailChain(jail.name),
      plainChain(
        jail.name,
        publishedMatches(jail.closes).flatMap((match) => verdicts('', match, jail.blocktype)),
      ),
    ]),
    ['banned', { ...shared, rules: [...first, ...banned] }],
    ['guard', plainChain(undefined, lookups(undefined, 'goto banned'))],
    ['input', baseChain('input', closed ? ['jump access'] : [])],
    [
      'forward',
      baseChain('forward', [
        ...(closed ? ['ct status dnat jump access'] : []),
        ...(hasAwaited ? ['ct status dnat jump awaited'] : []),
      ]),
    ],
  ]);
  return { sets, chains };
}

/** Before Docker's own chains, which stand at priority 0, and after its DNAT. */
function baseChain(hook: 'input' | 'forward', rules: readonly string[]): Chain {
  const chain = plainChain(undefined, [...rules, 'goto guard']);
  return { ...chain, hook: `type filter hook ${hook} priority -5; policy accept;` };
}

/**
 * The chains that close ports by label: `access` leads to one a container; `awaited` to those of containers which don't run, only from what is
 * forwarded. They let nobody pass, so bans hold for those who are let in. Only what was addressed to the port before Docker's DNAT is meant
 * (and, forwarded, what was changed by one: everyone's way to the same port elsewhere may lead through this host too), in direction original:
 * answers to what a container itself opened are let through. Established connections are cut, as by bans. What comes over the loopback is
 * this host's.
 */
function accessChains({ containers, exempt }: AccessRules): [name: string, chain: Chain][] {
  if (containers.length === 0) return [];
  const own = containers.map(({ container, allow, deny }): [string, Chain] => {
    const texts = [
      ...among(exempt, 'return'),
      ...among(deny, 'counter drop'),
      ...(allow ? [...among(allow, 'return'), 'counter drop'] : []),
    ];
    return [accessChain(container), plainChain(accessOwner(container), texts)];
  });
  const awaited = containers.filter((access) => access.awaited);
  return [
    ...own,
    ['access', entrance(containers.filter((access) => !access.awaited))],
    ...(awaited.length > 0 ? [['awaited', entrance(awaited)] satisfies [string, Chain]] : []),
  ];
}

function entrance(containers: readonly AccessSpec[]): Chain {
  const { rules, ...chain } = plainChain(undefined, ['iifname lo return', 'ct direction reply return']);
  const jumps = containers.flatMap(({ container, closes }) =>
    publishedMatches(closes).map(({ text }) => ({
      text: `${text}jump ${accessChain(container)}`,
      jail: accessOwner(container),
    })),
  );
  return { ...chain, rules: [...rules, ...jumps] };
}

/** The sets are part of the rules: they are made, changed and looked at with these. */
function among(entries: readonly string[], verdict: string): string[] {
  return sourceMatches(entries).map((match) => `${match} ${verdict}`);
}
