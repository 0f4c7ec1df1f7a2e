import { familyOf, prefixOf, type Family } from '../../net/address.ts';
import type { BlockType, ClosedPort, Closes } from '../../config/jail-spec.ts';
import { portsOfBoth } from '../access/closed-ports.ts';
import { elementOf, setOf, widest, type Place } from './names.ts';

/** What is closed of a destination. */
export interface PortMatch {
  /** Undefined: all of them. */
  readonly protocol: string | undefined;
  /** Empty where all is meant. */
  readonly text: string;
}

const everything: readonly PortMatch[] = [{ protocol: undefined, text: '' }];

/** What was addressed to a port of the host, before Docker's DNAT. */
export function publishedMatches(closes: Closes): readonly PortMatch[] {
  if (closes === 'all') return everything;
  return portsOfBoth(closes).map(({ protocol, hostAddress, ...ports }) => {
    const to =
      hostAddress === undefined ? '' : `ct original ${ipOf(familyOf(hostAddress))} daddr ${hostAddress} `;
    return { protocol, text: `meta l4proto ${protocol} ${to}ct original proto-dst ${range(ports)} ` };
  });
}

/** What is addressed to a port of the container itself, one match a protocol. */
export function destinationMatches(closes: Closes): readonly PortMatch[] {
  if (closes === 'all') return everything;
  return [...new Set(closes.map(({ protocol }) => protocol))].map((protocol) => {
    const ranges = closes.filter((port) => port.protocol === protocol).map(range);
    return { protocol, text: `${protocol} dport { ${ranges.join(', ')} } ` };
  });
}

/** The expression that finds a packet's destination among addresses; undefined: none is of that family. */
export function destinations(addresses: readonly string[], family: Family): string | undefined {
  const some = [...new Set(addresses.filter((address) => familyOf(address) === family))].toSorted();
  return some.length === 0 ? undefined : `${ipOf(family)} daddr { ${some.join(', ')} }`;
}

/** The expressions that find a packet's source among addresses and prefixes, one a family that there are any of. */
export function sourceMatches(entries: readonly string[]): string[] {
  return ([4, 6] as const).flatMap((family: Family) => {
    const some = entries.filter((entry) => familyOf(entry) === family);
    return some.length > 0 ? [`${ipOf(family)} saddr { ${some.join(', ')} }`] : [];
  });
}

/** The expression that finds a packet's source in a set. */
export function sourceIn(place: Place): string {
  const { family, bits } = place;
  const source = `${ipOf(family)} saddr`;
  const ones = family === 4 ? '255.255.255.255' : 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';
  const masked = bits === widest[family] ? source : `${source} & ${elementOf(prefixOf(ones, bits)).address}`;
  return `${masked} @${setOf(place)}`;
}

/** The rules that close something. @param base what else they match  */
export function verdicts(base: string, { protocol, text }: PortMatch, blocktype: BlockType): string[] {
  if (blocktype === 'drop') return [`${base}${text}counter drop`];
  const reset = `${base}${text === '' ? 'meta l4proto tcp ' : text}counter reject with tcp reset`;
  const unreachable = `${base}${text}counter reject with icmpx port-unreachable`;
  // Only TCP has resets.
  if (protocol === 'tcp') return [reset];
  return protocol === undefined ? [reset, unreachable] : [unreachable];
}

function range({ first, last }: Pick<ClosedPort, 'first' | 'last'>): string {
  return first === last ? `${first}` : `${first}-${last}`;
}

function ipOf(family: Family): string {
  return family === 4 ? 'ip' : 'ip6';
}
