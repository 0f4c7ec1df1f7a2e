import { createHash } from 'node:crypto';
import { familyOf, type Family } from '../../net/address.ts';
import type { AccessSpec } from '../../config/labels/access-spec.ts';
import { compare } from '../../text/compare.ts';
import { conntrackPort, mergedPorts } from './closed-ports.ts';
import type { NeverBan } from '../bans/never-ban.ts';
import { accessSet } from '../bans/set-names.ts';

/** What is closed by label, and to whom it never is. */
export interface AccessRules {
  readonly containers: readonly AccessSpec[];
  /** Addresses and prefixes of this host and its containers, none within another: without these, services could not talk to each other. */
  readonly exempt: readonly string[];
}

export const noAccess: AccessRules = { containers: [], exempt: [] };

/** Puts them into an order that depends on nothing else. */
export function accessRules(containers: readonly AccessSpec[], neverBan: NeverBan): AccessRules {
  const publishing = containers.filter(({ closes }) => closes.length > 0);
  if (publishing.length === 0) return noAccess;
  const sorted = publishing.toSorted((a, b) => compare(a.container, b.container));
  return { containers: sorted, exempt: neverBan.own };
}

/** Those of a family, for a set: sets of ipset don't take a prefix of no bits, so that is told as its halves. */
export function setMembers(entries: readonly string[], family: Family): readonly string[] {
  return entries
    .filter((entry) => familyOf(entry) === family)
    .flatMap((entry) => {
      if (!entry.endsWith('/0')) return [entry];
      return family === 4 ? ['0.0.0.0/1', '128.0.0.0/1'] : ['::/1', '8000::/1'];
    });
}

/** An ipset that rules look into. */
export interface WantedSet {
  readonly family: Family;
  readonly members: readonly string[];
  /** The containers that need it. */
  readonly containers: readonly string[];
}

/** The sets that the rules of `accessChainRules` refer to, by name. */
export function accessSets(
  families: readonly Family[],
  { containers, exempt }: AccessRules,
): ReadonlyMap<string, WantedSet> {
  const sets = new Map<string, WantedSet>();
  for (const family of families) {
    for (const { container, allow = [], deny } of containers) {
      for (const entries of [exempt, allow, deny]) {
        const members = setMembers(entries, family);
        if (members.length === 0) continue;
        const name = nameOf(family, members);
        sets.set(name, {
          family,
          members,
          containers: [...(sets.get(name)?.containers ?? []), container],
        });
      }
    }
  }
  return sets;
}

/**
 * The rules of our chain that close ports by label, spelled as `iptables-save` prints them. They let nobody pass, so bans hold for those who
 * are let in. Only what was addressed to the port of this host is meant, either to be changed by Docker's DNAT, or to stay here: everyone's
 * way to the same port elsewhere may lead through this host too. And only direction ORIGINAL: answers to what a container itself opened are
 * let through. Established connections are cut, as by bans. What comes over the loopback is this host's.
 * @param isUsable whether a set holds what it should: without it, its rule would close the port to the wrong ones
 */
export function accessChainRules(
  family: Family,
  { containers, exempt }: AccessRules,
  isUsable: (set: string) => boolean,
): string[] {
  return containers.flatMap(({ closes, allow, deny, awaited = false }) => {
    const own = matchOf(family, exempt, '! ', isUsable);
    const denied = setMembers(deny, family).length > 0 ? matchOf(family, deny, '', isUsable) : undefined;
    const allowed = allow && matchOf(family, allow, '! ', isUsable);
    const conditions = own === undefined ? [] : [denied, allowed].filter((match) => match !== undefined);
    return mergedPorts(family, closes).flatMap((port) => {
      const start = `! -i lo -p ${port.protocol} -m conntrack`;
      const to = `${conntrackPort(port)} --ctdir ORIGINAL`;
      const forwarded = `${start} --ctstate DNAT ${to}`;
      const local = `${start} ${to} -m addrtype --dst-type LOCAL`;
      const starts = awaited ? [`${forwarded} -m addrtype ! --dst-type LOCAL`] : [forwarded, local];
      return starts.flatMap((each) => conditions.map((match) => `${each}${own}${match} -j DROP`));
    });
  });
}

/** A match of the source with a set. Empty: it needs none; undefined: it can't be made. */
function matchOf(
  family: Family,
  entries: readonly string[],
  not: '! ' | '',
  isUsable: (set: string) => boolean,
): string | undefined {
  const members = setMembers(entries, family);
  if (members.length === 0) return '';
  const set = nameOf(family, members);
  return isUsable(set) ? ` -m set ${not}--match-set ${set} src` : undefined;
}

/** Named by what it holds: another list is another set, so that a change is a change of rules, made in one moment. */
function nameOf(family: Family, members: readonly string[]): string {
  return accessSet(family, createHash('sha256').update(members.join()).digest('hex').slice(0, 16));
}
