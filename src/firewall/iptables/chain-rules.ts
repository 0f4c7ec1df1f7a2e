import type { Family } from '../../net/address.ts';
import type { BlockType, Closes } from '../../config/jail-spec.ts';
import { compare } from '../../text/compare.ts';
import { conntrackPort, mergedPorts } from '../access/closed-ports.ts';
import type { GuardedJail } from '../firewall.ts';
import { allSet, jailSet } from '../bans/set-names.ts';

/**
 * The rules of our chain for a family, spelled as `iptables-save` prints them.
 *
 * The first lets everyone pass whom no jail has banned, for one lookup. The second lets answers pass: a ban closes what the offender opens, not what
 * this host or its containers open to it (its packets of connections of its own, established ones too, are in direction ORIGINAL or belong to no
 * connection). Then each jail drops or rejects: everything, or what was addressed to a published port before Docker's DNAT; that is the same port for
 * packets forwarded to a container and for those to docker-proxy or the host itself.
 */
export function chainRules(family: Family, jails: readonly GuardedJail[]): string[] {
  return [
    `-m set ! --match-set ${allSet(family)} src -j RETURN`,
    '-m conntrack --ctdir REPLY -j RETURN',
    ...jails
      .toSorted((a, b) => compare(a.name, b.name))
      .flatMap(({ name, closes, blocktype }) =>
        packetMatches(family, closes, blocktype).map(
          ({ match, protocol }) =>
            `${match}-m set --match-set ${jailSet(name, family)} src -j ${target(family, blocktype, protocol)}`,
        ),
      ),
  ];
}

/** What precedes the set in a jail's rules, and the protocol, where a rule is for one. */
function packetMatches(
  family: Family,
  closes: Closes,
  blocktype: BlockType,
): { readonly match: string; readonly protocol?: string }[] {
  if (closes === 'all') {
    const everything = { match: '' };
    // Only TCP has resets.
    return blocktype === 'reject' ? [{ match: '-p tcp ', protocol: 'tcp' }, everything] : [everything];
  }
  return mergedPorts(family, closes).map((port) => ({
    match: `-p ${port.protocol} -m conntrack ${conntrackPort(port)} `,
    protocol: port.protocol,
  }));
}

/** A reset ends an open connection at once; an ICMP message is heeded by those that only begin, and by everything but TCP. */
function target(family: Family, blocktype: BlockType, protocol: string | undefined): string {
  if (blocktype === 'drop') return 'DROP';
  if (protocol === 'tcp') return 'REJECT --reject-with tcp-reset';
  return `REJECT --reject-with ${family === 4 ? 'icmp' : 'icmp6'}-port-unreachable`;
}
