import { familyOf, type Family } from '../../net/address.ts';
import { allSet, jailSet } from '../bans/set-names.ts';

/** The bits of an address. */
export const widest: Readonly<Record<Family, number>> = { 4: 32, 6: 128 };

/** Prefixes of one length, of one family, in one jail: what a set holds. */
export interface Place {
  /** Undefined: of every jail. */
  readonly jail: string | undefined;
  readonly family: Family;
  /** Prefix length. */
  readonly bits: number;
}

/** An address or prefix, taken apart. */
export interface Element {
  readonly family: Family;
  readonly address: string;
  readonly bits: number;
}

/** @param ip canonical address or prefix */
export function elementOf(ip: string): Element {
  const family = familyOf(ip);
  const slash = ip.indexOf('/');
  if (slash < 0) return { family, address: ip, bits: widest[family] };
  return { family, address: ip.slice(0, slash), bits: Number(ip.slice(slash + 1)) };
}

/** The canonical text of an element of a set. */
export function prefixText(address: string, { family, bits }: Pick<Place, 'family' | 'bits'>): string {
  return bits === widest[family] ? address : `${address}/${bits}`;
}

/** `dock2ban-4-web` for addresses, `dock2ban-6-web/64` for prefixes: a hash finds only what has one length. */
export function setOf({ jail, family, bits }: Place): string {
  return prefixText(jail === undefined ? allSet(family) : jailSet(jail, family), { family, bits });
}

/**
 * Tells what the sets of certain jails are for; undefined: the set is another's.
 * @param jails undefined among them stands for the union sets
 */
export function placeFinder(jails: Iterable<string | undefined>): (set: string) => Place | undefined {
  const owners = new Map<string, { jail: string | undefined; family: Family }>();
  for (const jail of jails) {
    for (const family of [4, 6] as const) {
      owners.set(jail === undefined ? allSet(family) : jailSet(jail, family), { jail, family });
    }
  }
  return (set) => {
    const slash = set.indexOf('/');
    const owner = owners.get(slash < 0 ? set : set.slice(0, slash));
    return owner && { ...owner, bits: slash < 0 ? widest[owner.family] : Number(set.slice(slash + 1)) };
  };
}

/** The chain of what a jail closes. */
export function jailChain(jail: string): string {
  return `jail-${jailSet(jail, 4).slice(allSet(4).length + 1)}`;
}

/** What stands for a container where lines tell whose they are: no jail has such a name. */
export function accessOwner(container: string): string {
  return `${ownerMark}${container}`;
}

/** The container that is meant; undefined: it is a jail. */
export function containerOf(owner: string): string | undefined {
  return owner.startsWith(ownerMark) ? owner.slice(ownerMark.length) : undefined;
}

const ownerMark = '\0container ';

/** The chain of who gets to a container. */
export function accessChain(container: string): string {
  return `access-${jailSet(container, 4).slice(allSet(4).length + 1)}`;
}
