import { familyOf, type Family } from '../../net/address.ts';
import type { Closes } from '../../config/jail-spec.ts';

/** The expressions that match a packet's destination port, one a protocol; empty where all is meant. */
export function portMatches(closes: Closes): { protocol: string | undefined; match: string }[] {
  if (closes === 'all') return [{ protocol: undefined, match: '' }];
  return [...new Set(closes.map(({ protocol }) => protocol))].map((protocol) => {
    const ranges = closes
      .filter((port) => port.protocol === protocol)
      .map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
    return { protocol, match: `${protocol} dport { ${ranges.join(', ')} } ` };
  });
}

/** The expression that finds a packet's destination among addresses; undefined: none is of that family. */
export function destinations(addresses: readonly string[], family: Family): string | undefined {
  const some = [...new Set(addresses.filter((address) => familyOf(address) === family))].toSorted();
  return some.length === 0 ? undefined : `${family === 4 ? 'ip' : 'ip6'} daddr { ${some.join(', ')} }`;
}

/** The expressions that find a packet's source among addresses and prefixes, one a family that there are any of. */
export function sourceMatches(entries: readonly string[]): string[] {
  return ([4, 6] as const).flatMap((family: Family) => {
    const some = entries.filter((entry) => familyOf(entry) === family);
    return some.length > 0 ? [`${family === 4 ? 'ip' : 'ip6'} saddr { ${some.join(', ')} }`] : [];
  });
}
