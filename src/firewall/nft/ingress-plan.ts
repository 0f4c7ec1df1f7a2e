import type { AccessSpec } from '../../config/labels/access-spec.ts';
import type { DirectPath } from '../../config/jail-spec.ts';
import { compare } from '../../text/compare.ts';
import type { GuardedJail } from '../firewall.ts';
import { destinationMatches, destinations, sourceIn, sourceMatches, verdicts } from './expressions.ts';
import { plainChain, setsOf, type Chain, type Layout, type Rule } from './layout.ts';
import { accessChain, accessOwner, type Place } from './names.ts';

/** Our table for packets that pass no other hook of the host, as commands name it. */
export const ingressTable = 'netdev dock2ban';

/** The base chain at the ingress of an interface. */
export function ingressChain(parent: string): string {
  return `ingress-${parent}`;
}

/** A jail or container, and a way to it past the host's chains. */
interface At<Guarded> {
  readonly guarded: Guarded;
  readonly path: DirectPath;
}

const families = [4, 6] as const;

/**
 * Plans our table at ingress. A packet that enters by an interface and is for no container there pays for one lookup; the others are looked up
 * once a prefix length, and in the jails' sets if any jail has banned their source. There is no connection tracking at this place: what is
 * dropped is whatever comes from the offender.
 * @param jails with paths of containers that stand in a local network by themselves
 * @param places what there must be sets for
 * @param accesses what labels close: that comes before, in chains of its own
 * @param devices the interfaces that exist
 */
export function ingressLayout(
  jails: readonly GuardedJail[],
  places: Iterable<Place>,
  accesses: readonly AccessSpec[],
  devices: ReadonlySet<string>,
): Layout {
  const sets = setsOf(places);
  const banned = pathsOf(jails.toSorted((a, b) => compare(a.name, b.name)));
  const closed = pathsOf(accesses.toSorted((a, b) => compare(a.container, b.container)));
  const parents = new Set(
    [...banned, ...closed].map(({ path }) => path.parent).filter((each) => devices.has(each)),
  );
  const chains = new Map<string, Chain>();
  for (const parent of [...parents].toSorted(compare)) {
    const isHere = ({ path }: At<unknown>): boolean => path.parent === parent;
    const [bannedHere, closedHere] = [banned.filter(isHere), closed.filter(isHere)];
    for (const each of closedHere) chains.set(accessChain(each.guarded.container), accessRules(each));
    const rules = bannedHere.flatMap((each) => closingRules(each, sets));
    const lookups = [...sets.values()]
      .filter(({ jail }) => jail === undefined && bannedHere.length > 0)
      .map((place) => ({ text: `${sourceIn(place)} goto banned-${parent}`, jail: undefined }));
    if (bannedHere.length > 0) chains.set(`banned-${parent}`, { ...plainChain(undefined, []), rules });
    const jumps = closedHere.flatMap(jumpsTo);
    chains.set(`direct-${parent}`, { ...plainChain(undefined, []), rules: [...jumps, ...lookups] });
    const addresses = [...bannedHere, ...closedHere].flatMap(({ path }) => path.addresses);
    const entries = toEach(addresses).map((to) => `${to} goto direct-${parent}`);
    chains.set(ingressChain(parent), {
      ...plainChain(undefined, entries),
      hook: `type filter hook ingress device "${parent}" priority -5; policy accept;`,
    });
  }
  return { sets, chains };
}

function pathsOf<Guarded extends { readonly direct?: readonly DirectPath[] }>(
  all: readonly Guarded[],
): At<Guarded>[] {
  return all.flatMap((guarded) => (guarded.direct ?? []).map((path) => ({ guarded, path })));
}

/** The expressions that find a destination among these, one a family. */
function toEach(addresses: readonly string[]): string[] {
  return families.flatMap((family) => destinations(addresses, family) ?? []);
}

function closingRules(
  { guarded: { name, blocktype }, path: { addresses, closes } }: At<GuardedJail>,
  sets: ReadonlyMap<string, Place>,
): Rule[] {
  return [...sets.values()].flatMap((place) => {
    const to = place.jail === name ? destinations(addresses, place.family) : undefined;
    if (to === undefined) return [];
    const base = `${sourceIn(place)} ${to} `;
    const texts = destinationMatches(closes).flatMap((match) => verdicts(base, match, blocktype));
    return texts.map((text) => ({ text, jail: name }));
  });
}

function jumpsTo({ guarded: { container }, path }: At<AccessSpec>): Rule[] {
  return toEach(path.addresses).map((to) => ({
    text: `${to} jump ${accessChain(container)}`,
    jail: accessOwner(container),
  }));
}

/**
 * What labels say of a container. It lets nobody pass: bans come after. Of everything that may come from those who are not let in, only the first
 * packet of a TCP connection can be told from the answers that the container waits for; at ports that are named, all is dropped. Those who are
 * denied get nothing through but ICMP, without which IPv6 stops.
 */
function accessRules({ guarded: { container, allow, deny }, path: { closes } }: At<AccessSpec>): Chain {
  const named = destinationMatches(closes).map(({ text }) => text);
  const denied = closes === 'all' ? ['meta l4proto { tcp, udp, sctp } '] : named;
  const others = closes === 'all' ? ['tcp flags & (syn | rst | ack) == syn '] : named;
  return plainChain(accessOwner(container), [
    ...sourceMatches(deny).flatMap((source) => denied.map((match) => `${source} ${match}counter drop`)),
    ...sourceMatches(allow ?? []).map((source) => `${source} return`),
    ...(allow ? others.map((match) => `${match}counter drop`) : []),
  ]);
}
