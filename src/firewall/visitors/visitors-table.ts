import { compare } from '../../text/compare.ts';
import type { Family } from '../../net/address.ts';
import type { Watch } from '../firewall.ts';
import { jailSet } from '../bans/set-names.ts';

/** A table of our own, whichever backend enforces the bans: it only notes and drops nothing. */
export const visitorsTable = 'inet dock2ban-visitors';

/** A set holds no more addresses. The kernel passes over whoever comes then. */
export const mostVisitors = 65_535;

const chain = 'note';

/**
 * What a packet must be to come from a visitor: part of a connection that was answered, sent by its client, and no reset. A forged source
 * gets no further than a first packet, and the host that is named so answers with a reset.
 */
const conditions = [
  'ct direction != original return',
  'ct state != established return',
  'tcp flags & rst == rst return',
];

/**
 * The script that makes the table note the visitors of these jails: everyone with a connection to their ports, at each packet, so that a note
 * outlasts the connection by the time of the watch. It stands behind connection tracking (-200) and before Docker's DNAT (-100), where the
 * port is still the published one, and sees what goes to containers, to docker-proxy and to the host alike. Notes of jails that stay are kept.
 * @param obsolete sets to be removed
 */
export function visitorsScript(watches: ReadonlyMap<string, Watch>, obsolete: readonly string[]): string {
  const jails = [...watches].toSorted(([a], [b]) => compare(a, b));
  const both = jails.flatMap(([jail, watch]) => ([4, 6] as const).map((family) => ({ jail, family, watch })));
  const lines = [
    `add table ${visitorsTable}`,
    ...both.map(
      ({ jail, family }) =>
        `add set ${visitorsTable} ${jailSet(jail, family)} { type ipv${family}_addr; flags dynamic,timeout; size ${mostVisitors}; }`,
    ),
    `add chain ${visitorsTable} ${chain} { type filter hook prerouting priority -150; policy accept; }`,
    `flush chain ${visitorsTable} ${chain}`,
    ...conditions.map((text) => `add rule ${visitorsTable} ${chain} ${text}`),
    ...both.flatMap(({ jail, family, watch }) =>
      noteRules(jailSet(jail, family), family, watch).map(
        (text) => `add rule ${visitorsTable} ${chain} ${text}`,
      ),
    ),
    ...obsolete.map((set) => `delete set ${visitorsTable} ${set}`),
  ];
  return `${lines.join('\n')}\n`;
}

function noteRules(set: string, family: Family, { ports, seconds }: Watch): string[] {
  const note = `update @${set} { ip${family === 6 ? '6' : ''} saddr timeout ${seconds}s }`;
  return (['tcp', 'udp'] as const).flatMap((protocol) => {
    const ranges = ports
      .filter((port) => port.protocol === protocol)
      .map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
    const match = `meta nfproto ipv${family} ${protocol} dport { ${[...new Set(ranges)].join(', ')} }`;
    return ranges.length === 0 ? [] : [`${match} ${note}`];
  });
}

/** The table as `nft list ruleset` prints it; undefined: it isn't there. */
export function tableIn(listing: string): string | undefined {
  const start = listing.indexOf(`table ${visitorsTable} {`);
  if (start < 0) return undefined;
  const end = listing.indexOf('\n}', start);
  return end < 0 ? undefined : listing.slice(start, end + 2);
}

/** The sets in a printed table. */
export function setsIn(table: string): string[] {
  return Array.from(table.matchAll(/^\tset (\S+) \{/gm), ([, name = '']) => name);
}

/** Everything in a printed table that the notes in a set depend on; undefined: the set isn't there. */
export function watchIn(table: string | undefined, set: string): string | undefined {
  if (table === undefined || !setsIn(table).includes(set)) return undefined;
  const lines = table.split('\n').map((line) => line.trim());
  const common = lines.filter((line) => line.startsWith('type filter') || line.endsWith(' return'));
  return [...common, ...lines.filter((line) => line.includes(`update @${set} `))].join('\n');
}
